"""Losses of networks: head less what is below, each counted once, known only where all of it is, shown as they are."""

from typing import Any

import pytest

from quintet.access.losses import network_losses
from quintet.access.networks import BELOW, networks_of
from quintet.ledger.balance import balance
from quintet.registry import rewire
from quintet.store.records import FOREVER
from quintet.terms.errors import BadInput, Forbidden, NotFound, UsageError
from quintet.terms.period import Resolution, Span
from quintet.views.losses import losses_of

from .conftest import City, Scope, us, utc

DAY = Span(utc(2), utc(3))
METERS: list[dict[str, Any]] = [
    {"site": "city", "meter": "grid", "role": "import"},
    {"site": "city", "meter": "grid-out", "role": "export"},
    {"site": "z", "meter": "zone-head", "role": "submeter"},
    {"site": "z", "meter": "branch-head", "role": "submeter", "cadence_min": 15},
    {"site": "a", "building": "1", "meter": "flat"},
    {"site": "a", "building": "2", "meter": "shop", "cadence_min": 15},
    {"site": "a", "building": "2", "meter": "roof", "role": "generation", "cadence_min": 15},
    {"site": "b", "building": "1", "meter": "gate", "role": "import"},
    {"site": "b", "building": "1", "meter": "lift"},
    {"site": "b", "building": "1", "meter": "water", "commodity": "water", "unit": "m3"},
]
PLACES = [
    {"id": "z", "level": "district"},
    *({"id": site, "level": "complex", "parent": "z"} for site in ("a", "b")),
]
ZONE = {"id": "zone", "commodity": "electricity", "place": "z", "supply": ["z/zone-head"], "level": "zone"}
BRANCH = {"id": "branch", "commodity": "electricity", "place": "a", "supply": ["z/branch-head"], "level": "branch"}
USED = {"grid": 60.0, "grid-out": 3.0, "zone-head": 50.0, "flat": 7.0, "gate": 20.0, "lift": 19.0, "water": 1.0}
QUARTERS = {"branch-head": 6.5, "shop": 5.0, "roof": 1.0}


@pytest.fixture
def grid(city: City) -> City:
    """Give a city with a zone, a branch on it, and a day of even use: hourly amounts in kWh, quarters apart."""
    city.describe(place=PLACES)
    city.register(*METERS)
    city.describe(place=PLACES, feeder=[ZONE, BRANCH])
    send(city)
    return city


def send(city: City, but: str = "", day: int = 2) -> None:
    sites = {meter["meter"]: meter["site"] for meter in METERS}
    rows = [(f"{sites[m]}/{m}", utc(day, hour), kwh) for m, kwh in USED.items() for hour in range(24)]
    rows += [
        (f"{sites[m]}/{m}", utc(day, hour, minute), kwh)
        for m, kwh in QUARTERS.items()
        for hour in range(24)
        for minute in (0, 15, 30, 45)
    ]
    city.send([row for row in rows if row[0] != but])


def found(city: City, span: Span = DAY, resolution: Resolution = Resolution.HOUR, **asked: Any) -> list[dict[str, Any]]:
    given = {"place": "", "network": "", "known_at": None, **asked}
    return losses_of(city.access(), span, resolution, **given).table.to_pylist()


def known_loss(city: City, place: str, resolution: Resolution = Resolution.DAY) -> list[dict[str, Any]]:
    flows = city.access().flows(place, DAY, resolution)
    table = balance(
        flows.flows, place=place, edges=flows.edges, commodities=city.access().registry().commodities,
        boundaries_metered=flows.boundaries_metered,
    )  # fmt: skip
    return [row for row in table.to_pylist() if row["commodity"] == "electricity"]


KWH = 1_000_000


def test_a_child_counts_by_its_head_and_a_metered_boundary_by_itself(grid: City) -> None:
    for closed in (False, True):
        if closed:
            grid.close_all()
        for resolution, hours in ((Resolution.HOUR, 1), (Resolution.DAY, 24)):
            rows = {row["network"]: row for row in found(grid, resolution=resolution)}
            branch, zone = rows["branch"], rows["zone"]
            assert (branch["head"], branch["below"]) == (26 * KWH * hours, (7 + 20 - 4) * KWH * hours)
            assert (branch["loss"], branch["parent"], branch["level"]) == (3 * KWH * hours, "zone", "branch")
            assert (zone["head"], zone["below"]) == (50 * KWH * hours, (26 + 20) * KWH * hours), "b by its gate"
            assert (zone["loss"], zone["loss_share"], zone["reason"]) == (4 * KWH * hours, 0.08, None)


def test_the_balance_holds_what_inner_networks_locate_and_leaves_the_rest(grid: City) -> None:
    (whole,) = known_loss(grid, "city")
    used, made = (7 + 20 + 19) * 24 * KWH, 4 * 24 * KWH
    assert (whole["consumption"], whole["local_generation"], whole["known_loss"]) == (used, made, 7 * 24 * KWH)
    assert whole["closure_error"] == (60 - 3) * 24 * KWH + made - used - 7 * 24 * KWH, "shown, not spread"
    (zone,) = known_loss(grid, "z")
    assert (zone["known_loss"], zone["import"], zone["derived"]) == (7 * 24 * KWH, 49 * 24 * KWH, ["import"])
    assert [row["known_loss"] for row in known_loss(grid, "a")] == [3 * 24 * KWH]
    assert [row["known_loss"] for row in known_loss(grid, "b")] == [0]


def test_a_network_headed_by_the_places_own_import_is_its_closure_error(grid: City) -> None:
    main = {"id": "main", "commodity": "electricity", "place": "city", "supply": ["city/grid"], "level": "network"}
    grid.describe(place=PLACES, feeder=[main, ZONE, BRANCH])
    rows = {row["network"]: row for row in found(grid, resolution=Resolution.DAY)}
    assert (rows["main"]["head"], rows["main"]["below"]) == (57 * 24 * KWH, 50 * 24 * KWH), "exports go back through it"
    assert rows["zone"]["parent"] == "main"
    (whole,) = known_loss(grid, "city")
    behind_the_gate = (20 - 19) * 24 * KWH
    assert whole["known_loss"] == 7 * 24 * KWH
    assert whole["closure_error"] == rows["main"]["loss"] + behind_the_gate


def test_a_hole_on_either_side_leaves_no_loss_and_says_so(city: City) -> None:
    city.describe(place=PLACES)
    city.register(*METERS)
    city.describe(place=PLACES, feeder=[ZONE, BRANCH])
    send(city, but="a/flat")
    rows = {row["network"]: row for row in found(city, resolution=Resolution.DAY)}
    assert (rows["branch"]["loss"], rows["branch"]["reason"]) == (
        None,
        "less than 99% of what hangs on it is known",
    )
    assert (rows["branch"]["head_coverage"], rows["branch"]["below_coverage"]) == (1, 2 / 3)
    assert rows["zone"]["loss"] == 4 * 24 * KWH, "the child's head is known, and that is all that counts"
    (row,) = known_loss(city, "a")
    assert (row["known_loss"], row["import"], row["closure_error"]) == (None, None, None)
    assert row["coverage"] < 1


def test_a_negative_loss_is_shown(grid: City) -> None:
    grid.send([("z/branch-head", utc(2, 5, minute), 1.0) for minute in (0, 15, 30, 45)])
    (row,) = found(grid, Span(utc(2, 5), utc(2, 6)), network="branch")
    assert (row["loss"], row["loss_share"]) == ((4 - 23) * KWH, -19 / 4)


def test_steps_finer_than_a_meter_counts_have_no_loss(grid: City) -> None:
    rows = found(grid, Span(utc(2, 5), utc(2, 6)), Resolution.QUARTER, network="branch")
    assert {row["reason"] for row in rows} == {"a meter of it counts in longer steps than that"}
    assert [row["loss"] for row in rows] == [None] * 4


def test_networks_are_dated_and_what_moves_hangs_where_it_then_stands(grid: City) -> None:
    later = {**ZONE, "places": ["a", "b"], "valid_from": "2025-01-02T12:00:00Z"}
    grid.describe(place=PLACES, feeder=[later, BRANCH])
    grid.apply(rewire(grid.pipeline.registry(), "a/flat", valid_from=utc(2, 6), place="b/1"))
    rows = [row["loss"] for row in found(grid, network="branch")]
    assert rows == [3 * KWH] * 6 + [10 * KWH] * 18
    known = grid.now
    grid.describe(place=PLACES, feeder=[{**ZONE, "supply": ["city/grid"]}, later, BRANCH])
    assert found(grid, network="zone") != found(grid, network="zone", known_at=known)
    assert len({row["start"] for row in found(grid, network="zone")}) == 24


def test_an_exchanged_head_goes_on_being_the_head(grid: City) -> None:
    new = {**METERS[3], "meter": "branch-new", "replaces": "branch-head", "installed": "2025-01-03T00:00:00Z"}
    grid.register({**METERS[3], "removed": "2025-01-03T00:00:00Z"}, new)
    send(grid, but="z/branch-head", day=3)
    grid.send([("z/branch-new", utc(3, hour, m), 6.5) for hour in range(24) for m in (0, 15, 30, 45)])
    rows = found(grid, Span(utc(2), utc(4)), Resolution.DAY, network="branch")
    assert [row["loss"] for row in rows] == [3 * 24 * KWH] * 2


def test_every_meter_below_counts_once(grid: City) -> None:
    twice = {**ZONE, "places": ["z", "a"], "usage_points": ["a/flat"], "feeders": ["branch"]}
    grid.describe(place=PLACES, feeder=[twice, BRANCH])
    networks = networks_of(grid.pipeline.registry())
    channels = [row.channel for row in networks.rows["zone"].below if row.end_us == FOREVER]
    assert len(channels) == len(set(channels))
    table = networks.table([networks.rows["zone"]]).to_pylist()
    heads = {grid.pipeline.registry().channel_ids[name] for name in ("z/branch-head", "b/gate")}
    assert {row["channel"] for row in table if row["flow"] == BELOW} == heads


def test_what_cannot_be_asked_or_declared_is_refused(grid: City) -> None:
    with pytest.raises(NotFound, match="no network 'moon'"):
        found(grid, network="moon")
    with pytest.raises(UsageError, match="has its place"):
        found(grid, network="zone", place="z")
    with pytest.raises(Forbidden):
        network_losses(grid.access(Scope("kim", frozenset({"a"}))), DAY, Resolution.DAY, network="zone")
    with pytest.raises(BadInput, match="hangs on itself"):
        grid.describe(feeder=[{**ZONE, "feeders": ["branch"]}, {**BRANCH, "feeders": ["zone"]}])
    assert found(grid, network="zone"), "nothing stored was touched"


def test_something_metered_in_another_quantity_is_said(grid: City) -> None:
    pipe = {"id": "pipe", "commodity": "water", "place": "z", "supply": ["b/water"]}
    grid.describe(place=PLACES, feeder=[ZONE, BRANCH, pipe])
    (row,) = found(grid, resolution=Resolution.DAY, network="pipe")
    assert (row["loss"], row["reason"]) == (None, "nothing hangs on it")
    assert us(row["start"]) == us(utc(2))


def test_a_head_of_another_commodity_is_no_head_and_no_other_network_suffers(grid: City) -> None:
    wrong = {"id": "pipe", "commodity": "water", "place": "z", "supply": ["z/zone-head"], "usage_points": ["b/1"]}
    grid.describe(place=PLACES, feeder=[ZONE, BRANCH, wrong])
    rows = {row["network"]: row for row in found(grid, resolution=Resolution.DAY)}
    assert rows["zone"]["loss"] is not None
    assert (rows["pipe"]["loss"], rows["pipe"]["head"]) == (None, None)
    assert rows["pipe"]["reason"] == "no head meter stands for all of it"
    line = "feeder pipe of water names channel z/zone-head, which meters electricity."
    assert line in grid.access().registry().dangling()


def test_of_a_day_that_has_not_begun_no_loss_is_made_up(grid: City) -> None:
    """Nothing is owed of it yet: that is no proof that nothing was lost."""
    later, access = Span(utc(20), utc(21)), grid.access(now_us=us(utc(4)))
    rows = losses_of(access, later, Resolution.DAY, place="", network="", known_at=None).table.to_pylist()
    assert {(row["loss"], row["reason"]) for row in rows} == {(None, "it has not begun yet")}
    flows = access.flows("city", later, Resolution.DAY)
    known = access.registry().commodities
    booked = balance(
        flows.flows, place="city", edges=flows.edges, commodities=known, boundaries_metered=flows.boundaries_metered
    ).to_pylist()  # fmt: skip
    assert {row["known_loss"] for row in booked if row["commodity"] == "electricity"} == {None}


def test_a_row_that_cuts_intervals_is_covered_once_at_most(grid: City) -> None:
    """An interval counts where it begins, so a row may hold more of it than its own length: that is no better cover."""
    cut = Span(utc(2, 11, 50), utc(2, 12, 20))
    rows = losses_of(grid.access(), cut, Resolution.HOUR, place="", network="", known_at=None).table.to_pylist()
    assert max(row["head_coverage"] for row in rows) == 1
