"""Estimates that came with the data: they stand as estimates until something measured comes, and no run takes them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from quintet.pipeline.assigned import lift
from quintet.pipeline.difference import OF_RUNS, TOLD
from quintet.pipeline.rows import IntervalRows
from quintet.pipeline.told import take_told
from quintet.store.quarantine import Wanted, quarantined
from quintet.terms.quality import qualities
from quintet.terms.tables import READINGS

START = datetime(2025, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = 10
Row = tuple[str, datetime, float]


def use(*silent: int) -> list[Row]:
    """Give ten days of hours, but for those that are silent."""
    return [("use", START + at * HOUR, 1.0 + at % 24 / 8) for at in range(DAYS * 24) if at not in silent]


def tell(bench: Any, rows: list[Row], unit: str = "kWh") -> Any:
    said = [
        {"site": "s", "meter": meter, "at": at, "value": value, "commodity": None, "unit": unit, "row": number}
        for number, (meter, at, value) in enumerate(rows, 1)
    ]
    return take_told(bench.pipeline, bench.engine, pa.Table.from_pylist(said, READINGS), source="feed", actor="test")


def at(bench: Any, hour: int) -> tuple[int, str] | None:
    """Give the value and quality that stand at an hour."""
    codes = {one.id: code for code, one in qualities().items()}
    wanted = int((START + hour * HOUR).timestamp()) * 1_000_000
    return next(((value, codes[quality]) for _, start, value, quality in bench.effective() if start == wanted), None)


@pytest.fixture
def heard(bench: Any) -> Any:
    """Give a channel of which two hours are silent; rules estimate them."""
    bench.register(use=("electricity", "kWh", "interval_sum", 60), mute=("electricity", "kWh", "interval_sum", 60))
    bench.send(use(100, 101))
    return bench


def test_a_told_estimate_stands_until_it_is_measured(heard: Any) -> None:
    rows = [("use", START + hour * HOUR, 7.25) for hour in (100, 101)]
    assert tell(heard, rows).accepted == 2
    assert at(heard, 100) == (7_250_000, "told_estimate")
    again = tell(heard, rows)
    assert (again.accepted, again.duplicate) == (0, 2)
    heard.send([("use", START + 100 * HOUR, 2.0)])
    assert at(heard, 100) == (2_000_000, "valid")
    assert at(heard, 101) == (7_250_000, "told_estimate")


def test_a_measured_value_is_never_replaced(heard: Any) -> None:
    said = tell(heard, [("use", START, 99.0)])
    assert (said.accepted, said.duplicate) == (0, 1)
    assert at(heard, 0) == (1_000_000, "valid")


def test_only_estimates_are_no_series(heard: Any) -> None:
    said = tell(heard, [("mute", START, 1.0), ("nobody", START, 1.0)])
    assert (said.accepted, said.quarantined) == (0, 2)
    with heard.engine.snapshot() as snapshot:
        codes = {row["meter"]: row["code"] for row in quarantined(snapshot, Wanted(), limit=9).to_pylist()}
    assert codes["mute"] == "only_estimates"
    assert codes["nobody"]


def test_amounts_are_exact_in_any_unit_and_the_order_is_of_no_meaning(heard: Any) -> None:
    rows = [("use", START + 100 * HOUR, 1_234.567), ("use", START + 100 * HOUR, 1_200.0)]
    assert tell(heard, rows, "Wh").accepted == 1
    assert at(heard, 100) == (1_234_567, "told_estimate")
    tell(heard, list(reversed(rows)), "Wh")
    assert at(heard, 100) == (1_234_567, "told_estimate")


def test_what_is_told_is_not_of_a_run() -> None:
    assert not OF_RUNS[TOLD]
    assert [code for code, one in qualities().items() if one.assigned and not OF_RUNS[one.id]] == ["told_estimate"]


def test_an_estimate_can_be_taken_back_by_hand(heard: Any) -> None:
    before = at(heard, 100)
    tell(heard, [("use", START + 100 * HOUR, 7.25)])
    rows = IntervalRows.from_arrow(
        pa.table({
            "channel": pa.array([heard.effective()[0][0]], pa.int32()),
            "start_us": [int((START + 100 * HOUR).timestamp()) * 1_000_000], "value": [0],
            "quality": pa.array([TOLD], pa.uint8()),
        })
    )  # fmt: skip
    lift(heard.pipeline, heard.engine, rows, source="test", actor="test")
    assert at(heard, 100) == before
