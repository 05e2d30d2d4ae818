"""The whole tree in one answer equals each place's own, row by row, and adds up over places and over time."""

from datetime import datetime
from hashlib import sha256
from random import Random
from typing import Any

import pytest

from quintet.access import Access
from quintet.access.tree_flows import forest_of, tree_flows
from quintet.ledger.balance import balance
from quintet.ledger.tree import ADD_UP
from quintet.registry import Registry, rewire
from quintet.terms.errors import Forbidden, NotFound
from quintet.terms.period import Resolution, Span
from quintet.terms.tables import FLOW_NAMES
from quintet.views.losses import losses_of
from quintet.views.netted import read
from quintet.views.tree import table_of, tree_balances

from .conftest import METERS, PARENT, SETTINGS, City, NewCity, Scope, played, small_city, utc

Rows = list[dict[str, Any]]
FEEDERS: list[dict[str, Any]] = [
    {"id": "zone", "commodity": "electricity", "place": "d1", "supply": ["s1/school-lifts"], "level": "zone"},
    {"id": "block", "commodity": "electricity", "place": "s1/b1", "supply": ["s1/left"], "level": "branch"},
    {"id": "pipe", "commodity": "gas", "place": "city", "supply": ["city/gas-in"]},
]
SPAN = Span(utc(2), utc(4))


def alone(access: Access, place: str, span: Span, resolution: Resolution, known_at: datetime | None = None) -> Rows:
    found = access.flows(place, span, resolution, known_at)
    return balance(
        found.flows, place=place, edges=found.edges, commodities=access.registry().commodities,
        boundaries_metered=found.boundaries_metered,
    ).to_pylist()  # fmt: skip


def together(access: Access, span: Span, resolution: Resolution, known_at: datetime | None = None) -> Rows:
    found = tree_flows(access, "city", span, resolution, known_at)
    return table_of(found, None, access.registry().commodities).to_pylist()


def check(access: Access, span: Span, resolution: Resolution, known_at: datetime | None = None) -> Rows:
    rows = together(access, span, resolution, known_at)
    for place in PARENT:
        assert [row for row in rows if row["place"] == place] == alone(access, place, span, resolution, known_at), place
    return rows


@pytest.mark.parametrize("seed", range(2))
def test_every_row_of_the_tree_is_the_places_own(city: City, seed: int) -> None:
    small_city(city, utc(2), 2, seed)
    if seed % 2:
        city.describe(**SETTINGS, feeder=FEEDERS)
    known = city.now
    access = city.access()
    for resolution in (Resolution.DAY, Resolution.QUARTER):
        check(access, SPAN, resolution)
    city.close_all(but=None if seed else 20_091)
    city.send(played(city, utc(3), 1, Random(seed + 9)))
    city.apply(rewire(city.pipeline.registry(), "s1/left", valid_from=utc(3, 5, 30), place="s2/b1"))
    for resolution in (Resolution.HOUR, Resolution.MONTH):
        check(city.access(), SPAN, resolution)
    check(city.access(), Span(utc(2, 6), utc(3, 18)), Resolution.DAY)
    assert check(city.access(), SPAN, Resolution.DAY, known) != check(city.access(), SPAN, Resolution.DAY)


def netted(access: Access, known_at: datetime | None = None) -> Rows:
    """Balance the tree by the day, with its hours read at once, and hold it against each place read alone."""
    rows = tree_balances(access, SPAN, Resolution.DAY, place="city", level=None, known_at=known_at).table.to_pylist()
    for place in PARENT:
        own = read(access, place, SPAN, Resolution.DAY, known_at).balance(access.registry().commodities).to_pylist()
        assert [row for row in rows if row["place"] == place] == own, place
    return rows


@pytest.mark.parametrize("seed", range(2))
def test_what_is_netted_by_the_hour_is_read_of_all_places_at_once(city: City, seed: int) -> None:
    """Days that are open, closed, read anew since, closed by an older registry, and as known before that."""
    small_city(city, utc(2), 2, seed)
    if seed:
        city.describe(**SETTINGS, feeder=FEEDERS)
    first = netted(city.access())
    assert any(row["derived"] for row in first), "an import follows from the rest"
    known = city.now
    city.close_all(but=None if seed else 20_091)
    assert netted(city.access()) == first
    city.send(played(city, utc(3), 1, Random(seed + 9)))
    city.apply(rewire(city.pipeline.registry(), "s1/left", valid_from=utc(3, 5, 30), place="s2/b1"))
    assert netted(city.access()) != first
    assert netted(city.access(), known) == first
    assert netted(city.access().from_intervals()) == netted(city.access())


def test_rows_add_up_over_places_and_over_time(city: City) -> None:
    small_city(city, utc(2), 2)
    city.close_all()
    access = city.access()
    days = {(row["place"], row["start"], row["commodity"]): row for row in together(access, SPAN, Resolution.DAY)}
    own: dict[Any, dict[str, int]] = {}
    for channel, place, flow in (("pv", "d1", "local_generation"), ("fc-power", "s1", "conversion_out")):
        for row in access.series(f"s1/{channel}", SPAN, Resolution.DAY).to_pylist():
            own[place, row["start"], "electricity"] = {flow: int(row["value"])}
    checked = 0
    for place in ("s1/b1", "s1", "d1"):
        for start in (utc(2), utc(3)):
            parent = days[place, start, "electricity"]
            children = [days[child, start, "electricity"] for child, above in PARENT.items() if above == place]
            for name in ADD_UP:
                if place == "d1" and name.startswith("storage"):
                    continue
                more = own.get((place, start, "electricity"), {}).get(name, 0)
                assert parent[name] == sum(child[name] for child in children) + more
                checked += parent[name] != 0
    assert checked > 8, "they are no zeros that add up"
    (month,) = [
        row
        for row in together(access, SPAN, Resolution.MONTH)
        if (row["place"], row["commodity"]) == ("s2", "electricity")
    ]
    told = 0
    for name in FLOW_NAMES:
        parts = [days["s2", start, "electricity"][name] for start in (utc(2), utc(3))]
        if None not in parts:
            assert month[name] == sum(parts)
            told += 1
    assert told >= len(FLOW_NAMES) - 1, "an import that follows from the rest is not told of a day that is not known"


def test_a_place_that_was_not_known_yet_is_said(city: City) -> None:
    city.describe(place=[{"id": "d9", "level": "district"}])
    with pytest.raises(NotFound, match="no place 'd9'"):
        forest_of(Registry.from_records([]), "d9")
    assert forest_of(city.access().registry(), "d9").places == ["d9"]


def test_one_level_holds_that_level_alone(city: City) -> None:
    small_city(city, utc(2), 1)
    found = tree_flows(city.access(), "s1", Span(utc(2), utc(3)), Resolution.DAY)
    table = table_of(found, "premise", city.access().registry().commodities)
    assert set(table["place"].to_pylist()) == {"s1/b1/1", "s1/b1/2"}


def test_a_premise_without_a_meter_that_is_expected_lowers_the_coverage_everywhere_above(city: City) -> None:
    small_city(city, utc(2), 1)
    names = {"name_en": "Test", "name_ko": "시험", "timezone": "UTC", "carriers": ["gas", "heat"]}
    city.pipeline.describe({"city": names}, source="city.toml", actor="test")
    span = Span(utc(2), utc(3))
    rows = {(row["place"], row["commodity"]): row for row in check(city.access(), span, Resolution.DAY)}
    lacking = rows["s1/b1/2", "gas"]
    assert (lacking["consumption"], lacking["import"], lacking["closure_error"], lacking["coverage"]) == (None,) * 3 + (
        0,
    )
    assert rows["s1/b1", "gas"]["consumption"] == rows["s1/b1/1", "gas"]["consumption"]
    assert rows["s1/b1", "gas"]["coverage"] == rows["s1/b1/1", "gas"]["coverage"] / 2
    assert rows["city", "heat"]["coverage"] == 0
    assert rows["city", "heat"]["consumption"] is None
    assert ("s2/b1", "heat") not in rows, "a building is no premise"


def test_a_tree_is_read_by_who_may_read_its_root(city: City) -> None:
    small_city(city, utc(2), 1)
    access = city.access(Scope("kim", frozenset({"s1"})))
    assert tree_flows(access, "s1", Span(utc(2), utc(3)), Resolution.DAY).places[0] == "s1"
    with pytest.raises(Forbidden):
        tree_flows(access, "d1", Span(utc(2), utc(3)), Resolution.DAY)


def test_the_books_are_the_same_in_another_order_and_after_a_restart(new_city: NewCity) -> None:
    """The hash of all rows of the tree and of all losses, of one city told in order and of one told in pieces."""
    rows = played(new_city(), utc(2), 2, Random(5))
    hashes: set[str] = set()
    for seed in (None, 1, 2):
        city = new_city()
        city.register(*METERS)
        city.describe(**SETTINGS, feeder=FEEDERS)
        said = rows if seed is None else Random(seed).sample(rows, len(rows))
        for low in range(0, len(said), 700):
            city.send(said[low : low + 700])
            if seed == 2:
                city.close_all()
        if seed == 1:
            city.reopen()
        lost = losses_of(city.access(), SPAN, Resolution.DAY, place="", network="", known_at=None).table.to_pylist()
        told = repr((together(city.access(), SPAN, Resolution.HOUR), lost))
        hashes.add(sha256(told.encode()).hexdigest())
    assert len(hashes) == 1
