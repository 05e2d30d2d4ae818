"""`quintet vee backtest` and `vee order`: a decision is in force, dated, and can be asked for as it was known."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.app.requests import Backtest, EstimationOrder
from quintet.terms.errors import UsageError
from quintet.terms.tables import QUARANTINE, READINGS

START = datetime(2025, 1, 6, tzinfo=UTC)
HOURS = 24 * 70


def use(meter: int, hour: int) -> float:
    """Give what a meter uses in an hour: by the time of day, more at weekends, and a little that nobody can foresee."""
    return round(3 + meter + 2 * math.sin(hour / 12 * math.pi) + (hour // 24 % 7 > 4) + hour * (7 + meter) % 11 / 20, 2)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """Give a city of six meters that follow the hour and the weekday, with some days missing."""
    out = City.create(tmp_path / "c")
    meters = [
        {"site": "s", "building": "b", "meter": f"m{n}", "commodity": "electricity", "unit": "kWh",
         "value_kind": "interval_sum", "cadence_min": 60, "tz": "UTC", "role": "consumption"}
        for n in range(6)
    ]  # fmt: skip
    out.pipeline.register(pa.Table.from_pylist(meters), source="meters", actor="test")
    rows = [
        {"site": "s", "meter": f"m{n}", "at": START + timedelta(hours=hour), "commodity": None,
         "unit": None, "row": None,
         "value": use(n, hour)}
        for n in range(6)
        for hour in range(HOURS)
        if not 24 * 50 <= hour < 24 * 50 + 12
    ]  # fmt: skip
    out.pipeline.commit([(pa.Table.from_pylist(rows, READINGS), QUARANTINE.empty_table())], source="t", actor="t")
    yield out
    out.close()


def test_a_back_test_changes_nothing_and_repeated_with_a_decision_it_is_in_force_named_and_dated(city: City) -> None:
    shipped = answer_request(city, EstimationOrder(), no_progress).read()
    assert {row["origin"] for row in shipped["orders"]} == {"shipped"}
    before = city.engine.last_batch
    first = answer_request(city, Backtest(seed=3, stretches=70), no_progress)
    assert city.engine.last_batch == before
    read = first.read()
    chosen = {(o["gap"], o["register"]): o for o in read["orders"]}
    day = chosen["to_1d", False]
    assert day["beats"] is True
    assert day["error"] < min(day["straight"], day["last_week"])
    assert {row["estimator"] for row in read["rows"]} >= {"linear", "like_day", "last_week", "straight", "chosen"}
    moment = datetime.fromtimestamp(city.now() / 1e6, UTC).isoformat()
    with pytest.raises(UsageError, match="a name and a reason"):
        answer_request(city, Backtest(stretches=70, decide=True, by="Kim"), no_progress)
    deciding = Backtest(seed=3, stretches=70, decide=True, by="Kim", reason="winter")
    again = answer_request(city, deciding, no_progress).read()
    assert (again["rows"], again["orders"]) == (read["rows"], read["orders"])
    decided = [
        r for r in answer_request(city, EstimationOrder(), no_progress).read()["orders"] if r["commodity"] != "every"
    ]
    assert {row["commodity"] for row in decided} == {"electricity"}
    assert all(row["origin"].startswith("back-test by Kim, 2") and row["reason"] == "winter" for row in decided)
    chain = next(row["estimators"] for row in decided if (row["gap"], row["register"]) == ("to_1d", False))
    assert chain[:3] == ["outage_zero", "check_meter", "parent_minus_siblings"], "knowledge is still asked first"
    assert answer_request(city, EstimationOrder(known_at=moment), no_progress).read()["orders"] == shipped["orders"]


def test_too_few_stretches_decide_nothing(city: City) -> None:
    out = answer_request(city, Backtest(stretches=8), no_progress)
    assert all(order["estimators"] == [] for order in out.read()["orders"])
    assert any("too little is sound" in note for note in out.notes)
    with pytest.raises(UsageError, match="from 8"):
        answer_request(city, Backtest(stretches=1), no_progress)


def test_a_city_that_is_too_young_is_told_so(tmp_path: Path) -> None:
    young = City.create(tmp_path / "young")
    try:
        found = answer_request(young, Backtest(seed=1, stretches=8), no_progress)
    finally:
        young.close()
    assert found.rows == []
    assert [note.startswith("Nothing could be hidden: no channel has 28 days") for note in found.notes] == [True]
