"""Marks of doubt: spans to intervals, lot by lot; what continues or completes a marked day judges what is beneath."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from quintet.pipeline import marks
from quintet.pipeline.commit import Pipeline
from quintet.pipeline.difference import BENEATH, MARK_OF
from quintet.pipeline.marks import Spans, mark
from quintet.pipeline.rows import IntervalRows
from quintet.store.engine import Engine
from quintet.store.read import intervals
from quintet.terms.period import to_us
from quintet.terms.quality import qualities, qualities_by_id
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.vee import rules

MONDAY = datetime(2025, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALWAYS = (-(10**15), 10**16)


class Homes:
    """A city of hourly meters `m0`, `m1` …, and one that samples its power."""

    def __init__(self, folder: Path) -> None:
        self.clock_us = to_us(MONDAY) + 90 * 86_400_000_000
        self.engine = Engine.open(folder, "UTC")
        self.pipeline = Pipeline(self.engine, rules(), now=self.tick)
        rows = [
            {
                "site": "s", "building": "b", "meter": name, "commodity": "electricity", "unit": unit,
                "value_kind": kind, "cadence_min": 60, "tz": "UTC", "role": "consumption",
            }
            for name, unit, kind in (
                *((f"m{n}", "kWh", "interval_sum") for n in range(3)),
                ("power", "kW", "inst_flow"),
            )
        ]  # fmt: skip
        self.pipeline.register(pa.Table.from_pylist(rows), source="meters", actor="test")

    def tick(self) -> int:
        self.clock_us += 1_000_000
        return self.clock_us

    def send(self, meter: str, first: int, values: list[float]) -> None:
        rows = [
            {"site": "s", "meter": meter, "at": MONDAY + (first + n) * HOUR, "value": value, "row": n}
            for n, value in enumerate(values)
        ]
        table = pa.Table.from_pylist(rows, READINGS)
        self.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")

    def number(self, meter: str) -> int:
        return self.pipeline.registry().channel_ids[f"s/{meter}"]

    def mark(self, *spans: tuple[str, int, int], window: tuple[int, int] = ALWAYS, seen: int | None = None) -> int:
        """Mark spans (meter, first hour, end); gives how many intervals changed."""
        said = [(self.number(meter), us(low), us(high)) for meter, low, high in spans]
        columns = np.array(said, np.int64).reshape(-1, 3).T
        doubted = Spans(columns[0].astype(np.int32), columns[1], columns[2])
        newest = self.engine.last_batch if seen is None else seen
        with self.engine.writing("vee", "run", "test", self.tick()) as writing:
            return mark(self.pipeline, self.engine, writing, doubted, window, newest)

    def shown(self, meter: str) -> list[str]:
        with self.engine.snapshot() as snapshot:
            table = intervals(self.engine, snapshot, *ALWAYS, channels=[self.number(meter)])
        return [qualities_by_id()[quality].code for quality in table["quality"].to_pylist()]


def us(hour: int) -> int:
    return to_us(MONDAY + hour * HOUR)


def day(number: int) -> list[float]:
    return [1 + (hour * 7 + number * 3) % 11 / 10 for hour in range(24)]


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Homes]:
    out = Homes(tmp_path)
    yield out
    out.engine.close()


def test_spans_cover_what_begins_in_them_of_their_channel_alone(homes: Homes) -> None:
    for meter in ("m0", "m1"):
        homes.send(meter, 0, day(0))
    assert homes.mark(("m0", 2, 5), ("m0", 4, 6), ("m1", 23, 99)) == 5
    assert [at for at, code in enumerate(homes.shown("m0")) if code == "suspect"] == [2, 3, 4, 5]
    assert [at for at, code in enumerate(homes.shown("m1")) if code == "suspect"] == [23]
    assert homes.mark(("m0", 2, 6), ("m1", 23, 24)) == 0
    assert homes.mark(("m0", 4, 6)) == 3
    assert [at for at, code in enumerate(homes.shown("m0")) if code == "suspect"] == [4, 5]
    assert homes.mark() == 2
    assert set(homes.shown("m0") + homes.shown("m1")) == {"valid"}


def test_lots_of_any_size_give_the_same(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = [(f"m{n}", 3 * n, 3 * n + 20) for n in range(3)]
    for n in range(3):
        homes.send(f"m{n}", 0, day(n) + day(n + 1))
    assert homes.mark(*spans) == 60
    whole = [homes.shown(f"m{n}") for n in range(3)]
    homes.mark()
    monkeypatch.setattr(marks, "LOT_CELLS", 1)
    assert homes.mark(*spans) == 60
    assert [homes.shown(f"m{n}") for n in range(3)] == whole


def test_nothing_outside_the_window_and_nothing_that_nobody_judged_is_touched(homes: Homes) -> None:
    homes.send("m0", 0, day(0))
    homes.mark(("m0", 0, 24))
    assert homes.mark(window=(us(12), us(24))) == 12
    assert homes.shown("m0") == ["suspect"] * 12 + ["valid"] * 12
    seen = homes.engine.last_batch
    homes.send("m0", 24, day(1))
    assert homes.mark(("m0", 0, 48), seen=seen) == 12
    assert homes.shown("m0") == ["suspect"] * 24 + ["valid"] * 24


def test_a_mark_over_what_was_derived_goes_back_to_derived(homes: Homes) -> None:
    homes.send("power", 0, day(0))
    homes.mark(("power", 0, 12))
    assert homes.shown("power") == ["suspect_derived"] * 12 + ["derived"] * 12
    homes.mark()
    assert homes.shown("power") == ["derived"] * 24


@pytest.mark.parametrize("each", [1, 12])
def test_a_day_that_is_completed_after_it_was_marked_is_judged_by_what_is_beneath(homes: Homes, each: int) -> None:
    for number in range(3):
        homes.send("m0", 24 * number, day(number))
    spike = [9.0 if hour == 4 else value for hour, value in enumerate(day(3))]
    homes.send("m0", 72, spike[:12])
    homes.mark(("m0", 72, 84))
    for low in range(12, 24, each):
        homes.send("m0", 72 + low, spike[low : low + each])
    shown = homes.shown("m0")
    assert shown[:72] == ["valid"] * 72
    assert shown[72:] == ["suspect"] * 4 + ["questionable"] + ["suspect"] * 7 + ["valid"] * 12


def test_a_city_that_is_opened_again_goes_on_as_if_nothing_was_marked(homes: Homes, tmp_path: Path) -> None:
    for number in range(4):
        homes.send("m0", 24 * number, day(number))
    homes.mark(("m0", 48, 96))
    calm = homes.pipeline.tails.calm[homes.number("m0")]
    homes.engine.close()
    homes.engine = Engine.open(tmp_path, "UTC")
    homes.pipeline = Pipeline(homes.engine, rules(), now=homes.tick)
    assert homes.pipeline.tails.calm[homes.number("m0")] == calm
    homes.send("m0", 96, day(4))
    assert homes.shown("m0") == ["valid"] * 48 + ["suspect"] * 48 + ["valid"] * 24


def test_every_mark_has_a_quality_beneath_and_all_others_are_their_own() -> None:
    codes: Callable[[int], str] = lambda number: qualities_by_id()[number].code  # noqa: E731
    assert {
        codes(one.id): codes(int(BENEATH[one.id])) for one in qualities().values() if BENEATH[one.id] != one.id
    } == {
        "suspect": "valid",
        "suspect_derived": "derived",
    }
    assert {codes(number): codes(int(MARK_OF[number])) for number in np.flatnonzero(MARK_OF).tolist()} == {
        "valid": "suspect",
        "derived": "suspect_derived",
    }


def test_no_rows_and_no_spans_cover_nothing() -> None:
    none = np.zeros(0, np.int64)
    rows = IntervalRows(none.astype(np.int32), none, none, none.astype(np.uint8))
    spans = Spans(none.astype(np.int32), none, none)
    assert not len(marks.covered(rows, spans))
