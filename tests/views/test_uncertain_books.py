"""Books of a simulated city of which some meters fell silent: the truth lies in the interval of each number."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.ingest import find, ingest_dataset
from quintet.simulate.city import SimulatedCity
from quintet.simulate.dataset import write_dataset
from quintet.simulate.plan import CityPlan
from quintet.terms.errors import UsageError
from quintet.views import Questions

DAYS, FIRST, LAST = 15, "2025-03-12", "2025-03-15"
PLAN = CityPlan(start=date(2025, 3, 1), days=DAYS, households=40, seed=5, faults=False)
SURE = 0.99
Cities = tuple[Questions, Questions]


def taken(folder: Path, source: Path) -> City:
    """Take a dataset in."""
    city = City.create(folder, timezone="Asia/Seoul")
    (dataset,) = find([source])
    ingest_dataset(city.pipeline, dataset, actor="test")
    return city


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cities]:
    """Give the questions of a city that was heard whole, and of one in which every seventh home fell silent."""
    root = tmp_path_factory.mktemp("books")
    write_dataset(SimulatedCity(PLAN), root / "whole")
    write_dataset(SimulatedCity(PLAN), root / "silent")
    path = root / "silent" / "readings.parquet"
    rows = pa.parquet.read_table(path)
    meters = rows["meter"].cast(pa.string())
    homes = sorted({name for name in pc.unique(meters).to_pylist() if name[0].isdigit() and name.count("-") > 1})
    since = pa.scalar(PLAN.edges(PLAN.day(10))[0], pa.int64())
    late = pc.greater_equal(rows["ts_utc"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()), since)
    gone = pc.and_(pc.is_in(meters, pa.array(homes[::7])), late)
    pa.parquet.write_table(rows.filter(pc.invert(gone)), path)
    made = [taken(root / name / "city", root / name) for name in ("whole", "silent")]
    yield tuple(Questions(one.access(EVERYTHING)) for one in made)  # pyright: ignore[reportReturnType]
    for one in made:
        one.close()


def numbers(row: Any) -> dict[str, Any]:
    """Give a balance row by the names of its flows."""
    found = msgspec.structs.asdict(row)
    return {("import" if name == "import_" else name): value for name, value in found.items()}


def test_each_number_of_the_balance_has_its_true_value_inside(cities: Cities) -> None:
    whole, silent = (one.balances(FIRST, LAST, "month", uncertainty=SURE).rows for one in cities)
    wider = 0
    for truth, row in zip(map(numbers, whole), map(numbers, silent), strict=True):
        assert row["nominal"] == SURE
        for name, low in row["low"].items():
            assert low <= truth[name] <= row["high"][name], (row["commodity"], name)
            wider += low < row["high"][name]
        assert row["low"].keys() | row["interval_reason"].keys() >= {"consumption", "closure_error"}
    assert wider >= 8, "consumption of five carriers, and closure where an import is metered"


def test_what_is_wholly_measured_is_exact_and_without_asking_nothing_is_said(cities: Cities) -> None:
    whole = cities[0].balances(FIRST, LAST, "month", uncertainty=SURE)
    for row in map(numbers, whole.rows):
        assert all(low == row[name] == row["high"][name] for name, low in row["low"].items())
    plain = cities[0].balances(FIRST, LAST, "month")
    assert b"nominal" not in msgspec.json.encode(plain)
    assert b"interval_reason" not in msgspec.json.encode(cities[0].ledger.self_sufficiency(FIRST, LAST, "hour"))


def test_a_missing_meter_never_raises_self_sufficiency_unsaid(cities: Cities) -> None:
    """Silent use makes a ratio too high: the interval then reaches down to the true one, and below the one shown."""
    whole, silent = (
        {row.id: row for row in one.ledger.self_sufficiency(FIRST, LAST, "hour", uncertainty=SURE).definitions}
        for one in cities
    )
    raised = 0
    for name, row in silent.items():
        truth = whole[name].value
        if row.value is None or truth is None:
            continue
        assert isinstance(row.low, Decimal)
        assert isinstance(row.high, Decimal)
        assert row.low - Decimal("0.000001") <= truth <= row.high + Decimal("0.000001"), name
        if row.value > truth:
            raised += 1
            assert row.low < row.value, name
            assert row.coverage is not None
            assert row.coverage < 1, name
    assert raised >= 2, "electricity of silent homes is in several denominators"


def test_emissions_have_their_true_value_inside_by_row_and_scope(cities: Cities) -> None:
    whole, silent = (one.ledger.emissions(FIRST, LAST, "month", uncertainty=SURE) for one in cities)
    within = Decimal("0.001")
    for truth, row in [*zip(whole.rows, silent.rows, strict=True), *zip(whole.scopes, silent.scopes, strict=True)]:
        if truth.kg_co2e is None or not isinstance(row.low, Decimal):
            continue
        assert isinstance(row.high, Decimal)
        assert row.low - within <= truth.kg_co2e <= row.high + within
    gas = next(row for row in silent.rows if row.source_id == "gas_burnt")
    assert isinstance(gas.low, Decimal)
    assert isinstance(gas.high, Decimal)
    assert gas.low < gas.high


def test_a_day_still_running_is_told_until_the_last_hour_that_was_heard(cities: Cities) -> None:
    found = cities[1].certainty("2025-03-10", "2025-03-16", known_at=None)
    rows = {(row.commodity, row.flow): row for row in found.rows}
    used = rows["electricity", "consumption"]
    assert used.low is not None
    assert used.interval_to is not None
    assert used.interval_to.isoformat() == "2025-03-16T00:00:00+09:00"
    longer = {(row.commodity, row.flow): row for row in cities[1].certainty("2025-03-10", "2025-03-18").rows}
    beyond = longer["electricity", "consumption"]
    assert beyond.interval_to == used.interval_to, "of two days of which nothing was heard nothing is said"
    assert beyond.low is not None


@pytest.mark.parametrize(("resolution", "level", "code"), [("15min", 0.9, "too_fine"), ("day", 1.5, "bad_level")])
def test_what_cannot_be_told_is_refused(cities: Cities, resolution: str, level: float, code: str) -> None:
    with pytest.raises(UsageError) as raised:
        cities[0].balances(FIRST, LAST, resolution, uncertainty=level)
    assert raised.value.code == code


def test_by_the_hour_too(cities: Cities) -> None:
    whole, silent = (one.balances(FIRST, "2025-03-13", "hour", uncertainty=0.9).rows for one in cities)
    told, inside = 0, 0
    for truth, row in zip(map(numbers, whole), map(numbers, silent), strict=True):
        low, high = (row[name].get("consumption") for name in ("low", "high"))
        if low is not None:
            told += 1
            inside += low <= truth["consumption"] <= high
    assert told >= 96
    assert inside / told >= 0.75, "120 rows of few homes, whose hours go together"
