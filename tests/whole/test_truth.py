"""The simulated city's truth in the ledger: with no faults every carrier closes, at every level and in every interval.

Its meters are registered as meters that show whole sub-units, and what really flowed through each is committed. What
the books then leave open is what the networks lost, and nothing else; where every boundary has a meter that is 0.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from quintet.access import EVERYTHING, Access
from quintet.access.tree_flows import tree_flows
from quintet.app.city import City
from quintet.simulate import CityPlan, SimulatedCity, simulate_city
from quintet.terms.period import Resolution, Span, day_start
from quintet.terms.reading import clock
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.terms.unit import units
from quintet.views.self_sufficiencies import books_of, definitions_of
from quintet.views.tree import table_of

ZONE = "Asia/Seoul"
DAY = date(2026, 1, 12)
SMALLEST = {"energy": "mWh", "volume": "mL"}
SIGN = {"consumption": 1, "generation": -1, "storage": -1}
"""What each role takes from a place's boundary; a storage's meter shows what it gave."""
INSIDE = "hot_water"
"""Made by the complex's exchanger: no boundary is crossed."""
STEPS = (Resolution.QUARTER, Resolution.HOUR, Resolution.DAY)
Row = dict[str, Any]
Amounts = np.ndarray[tuple[int], np.dtype[np.int64]]
Reading = tuple[str, str, datetime, int]


@pytest.fixture(scope="module")
def sim() -> SimulatedCity:
    """Give a winter's day of a small city in which nothing breaks."""
    return simulate_city(CityPlan(start=DAY, days=1, households=16, faults=False))


@pytest.fixture(scope="module")
def true_series(sim: SimulatedCity) -> dict[tuple[str, str], tuple[list[datetime], Amounts]]:
    """Give what really flowed through each meter."""
    out: dict[tuple[str, str], tuple[list[datetime], list[int]]] = {}
    for row in sim.channel_truth(DAY).to_pylist():
        moments, values = out.setdefault((row["site"], row["meter"]), ([], []))
        moments.append(row["start"])
        values.append(row["value"])
    return {key: (moments, np.array(values, np.int64)) for key, (moments, values) in out.items()}


def meters_of(sim: SimulatedCity) -> list[Row]:
    """Give the city's meters as if each showed whole sub-units."""
    return [
        {**row, "value_kind": "interval_sum", "unit": SMALLEST[units()[row["unit"]].quantity], "multiplier": "1",
         "dials": None, "plate_max": None}
        for row in sim.meters.to_pylist()
    ]  # fmt: skip


def span() -> Span:
    zone = clock(ZONE)
    return Span(day_start(DAY, zone), day_start(date(2026, 1, 13), zone))


def opened(folder: Path, sim: SimulatedCity, meters: list[Row], rows: Iterable[Reading]) -> City:
    """Make a city, register meters and commit readings."""
    city = City.create(folder, timezone=ZONE)
    city.pipeline.describe(sim.settings, source="city.toml", actor="test")
    receipt = city.pipeline.register(pa.Table.from_pylist(meters, sim.meters.schema), source="meters", actor="test")
    assert receipt.quarantined == 0
    site, meter, at, value = zip(*rows, strict=True)
    columns: dict[str, Any] = {
        "site": site, "meter": meter, "at": at, "value": [float(one) for one in value],
        "commodity": [None] * len(at), "unit": [None] * len(at), "row": range(1, len(at) + 1),
    }  # fmt: skip
    table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
    taken = city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")
    assert (taken.accepted, taken.quarantined) == (len(at), 0)
    return city


def told(true_series: dict[tuple[str, str], tuple[list[datetime], Amounts]]) -> Iterator[Reading]:
    for (site, meter), (moments, values) in true_series.items():
        yield from ((site, meter, at, int(value)) for at, value in zip(moments, values, strict=True))


def books(access: Access, step: Resolution) -> list[Row]:
    """Give every row of the whole tree, with the level of its place."""
    found = tree_flows(access, "city", span(), step)
    levels = dict(zip(found.places, found.levels, strict=True))
    rows = table_of(found, None, access.registry().commodities).to_pylist()
    return [{**row, "level": levels[row["place"]]} for row in rows]


def within(row: Row) -> list[tuple[str, ...]]:
    """Give the places in which a meter lies, as the columns of a meter that stands at their boundary."""
    parts = (row["site"], row["building"], row["premise"])
    return [parts[: i + 1] for i in range(3) if all(parts[: i + 1])]


@pytest.fixture(scope="module")
def bare(sim: SimulatedCity, true_series: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    """Give the books of the city as it is simulated: boundary meters at the city alone."""
    city = opened(tmp_path_factory.mktemp("bare") / "city", sim, meters_of(sim), told(true_series))
    yield city.access(EVERYTHING)
    city.close()


@pytest.mark.parametrize("step", STEPS)
def test_what_the_city_leaves_open_is_what_its_networks_really_lost(
    sim: SimulatedCity, bare: Access, step: Resolution
) -> None:
    edges = tree_flows(bare, "city", span(), step).edges
    lost: dict[tuple[datetime, str], int] = defaultdict(int)
    for row in sim.truth(DAY).to_pylist():
        if row["flow"] == "loss":
            lost[max(edge for edge in edges if edge <= row["start"]), row["commodity"]] += row["value"]
    rows = [row for row in books(bare, step) if row["place"] == "city"]
    assert {row["commodity"] for row in rows} == {"electricity", "gas", "heat", "hot_water", "water"}
    for row in rows:
        assert row["coverage"] == 1
        assert row["closure_error"] + row["known_loss"] == lost[row["start"], row["commodity"]]
    assert sum(lost.values()) > 0


@pytest.fixture(scope="module")
def bounded(sim: SimulatedCity, true_series: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Give the city with a true meter at the boundary of every home, building and complex."""
    meters, net = meters_of(sim), dict[tuple[tuple[str, ...], str], Amounts]()
    for row in meters:
        if row["site"] == "city" or row["commodity"] == INSIDE:
            continue
        commodity = "electricity" if row["commodity"] == "solar" else row["commodity"]
        for place in within(row):
            if len(place) == 2 and row["meter"].startswith("exchanger"):
                continue  # the plant stands at the complex, whatever room its meters are in
            key = (place, commodity)
            moments, values = true_series[row["site"], row["meter"]]
            net[key] = net.get(key, np.zeros(len(moments), np.int64)) + SIGN[row["role"]] * values
    gates, rows, moments = list[Row](), list(told(true_series)), next(iter(true_series.values()))[0]
    for number, ((place, commodity), values) in enumerate(sorted(net.items())):
        assert (values >= 0).all()
        site, building, premise = (*place, None, None)[:3]
        like = next(row for row in meters if row["commodity"] == commodity)
        meter = f"gate-{number}"
        gates.append({**like, "site": site, "building": building, "premise": premise, "meter": meter, "role": "import"})
        rows += [(str(site), meter, at, int(value)) for at, value in zip(moments, values, strict=True)]
    city = opened(tmp_path_factory.mktemp("bounded") / "city", sim, [*meters, *gates], rows)
    yield city
    city.close()


@pytest.mark.parametrize("step", STEPS)
def test_with_a_meter_at_every_boundary_every_place_closes_to_nothing(
    bounded: City, true_series: Any, step: Resolution
) -> None:
    rows = books(bounded.access(EVERYTHING), step)
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        if row["level"] not in ("premise", "building", "complex") or row["commodity"] == INSIDE:
            continue
        assert (row["closure_error"], row["known_loss"], row["derived"]) == (0, 0, []), row
        counted[row["level"], row["commodity"]] += row["import"] > 0
    assert {level for level, _ in counted} == {"premise", "building", "complex"}
    assert {commodity for _, commodity in counted} == {"electricity", "gas", "heat", "water"}
    assert all(counted.values()), "they are no zeros that close"
    made, taken = (
        sum(int(values.sum()) for (site, meter), (_, values) in true_series.items()
            if site == "c001" and meter.endswith("-hot_water") and meter.startswith("exchanger") == plant)
        for plant in (True, False)
    )  # fmt: skip
    inside = [row for row in rows if (row["place"], row["commodity"]) == ("c001", INSIDE)]
    assert sum(int(row["closure_error"]) for row in inside) == made - taken > 0, "what the pipes of the complex lost"


def quarters(rows: Sequence[Row], place: str, commodity: str) -> list[Any]:
    return [row["closure_error"] for row in rows if (row["place"], row["commodity"]) == (place, commodity)]


def test_a_silent_meter_leaves_books_open_and_raises_no_share_in_silence(
    sim: SimulatedCity, true_series: Any, bare: Access, tmp_path: Path
) -> None:
    """Two hours of one home's power are missing: its own books say so, and every share that moved covers less."""
    hidden = ("c001", next(meter for site, meter in true_series if site == "c001" and meter.endswith("-electricity")))
    kept = [
        row for row in told(true_series) if row[:2] != hidden or not 40 <= row[2].hour * 4 + row[2].minute // 15 < 48
    ]
    city = opened(tmp_path / "city", sim, meters_of(sim), kept)
    try:
        access = city.access(EVERYTHING)
        for step in (Resolution.QUARTER, Resolution.HOUR):
            before, after = (
                {one.id: one for one in definitions_of(books_of(of, "city", span(), step, None), step)}
                for of in (bare, access)
            )
            moved = 0
            for code, one in after.items():
                if one.value is None or before[code].value is None or one.value == before[code].value:
                    continue
                moved += 1
                assert (one.coverage or 0) < (before[code].coverage or 0), code
            assert moved > 2
        whole, less = (quarters(books(of, Resolution.QUARTER), "city", "electricity") for of in (bare, access))
        assert sum(one != other for one, other in zip(whole, less, strict=True)) > 0
    finally:
        city.close()
