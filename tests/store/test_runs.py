"""Findings of runs: stated as differences, withdrawn, and had again as known at a batch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quintet.store.engine import Engine
from quintet.store.exceptions import Step, add_item, append_steps, items, steps_of
from quintet.store.runs import (
    FINDINGS,
    append_findings,
    changed_channels,
    changed_days,
    changed_since,
    note_units,
    standing_findings,
    units_seen,
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    out = Engine.open(tmp_path, "UTC")
    yield out
    out.close()


def finding(channel: int, *, unit: int = 7, until: int = 20, detail: str = "{}") -> dict[str, Any]:
    return {
        "unit": unit, "channel": channel, "at_us": 10, "until_us": until, "rule": "V08", "verdict": "fail",
        "detail": detail,
    }  # fmt: skip


def state(engine: Engine, *rows: dict[str, Any], units: tuple[int, ...] = (7,)) -> int:
    with engine.writing("vee", "run", "test", 1) as writing:
        return append_findings(writing, pa.Table.from_pylist(list(rows), FINDINGS), list(units))


def standing(engine: Engine, known_batch: int | None = None) -> list[dict[str, Any]]:
    with engine.snapshot() as snapshot:
        return standing_findings(snapshot, known_batch=known_batch).to_pylist()


def test_only_what_changed_is_written_and_the_past_can_be_had_again(engine: Engine) -> None:
    first = [finding(1), finding(2)]
    assert state(engine, *first) == 2
    assert state(engine, *first) == 0
    assert state(engine, finding(1, until=30)) == 2
    assert standing(engine) == [finding(1, until=30)]
    assert standing(engine, known_batch=2) == first
    assert state(engine, *first) == 2
    assert standing(engine) == first


def test_other_weeks_are_left_alone(engine: Engine) -> None:
    state(engine, finding(1), finding(1, unit=14), units=(7, 14))
    assert state(engine, units=(7,)) == 1
    assert standing(engine) == [finding(1, unit=14)]


def test_what_a_week_was_judged_with_is_its_newest_note(engine: Engine) -> None:
    for seen, basis in ((3, "a"), (5, "b")):
        with engine.writing("vee", "run", "test", 1) as writing:
            note_units(writing, [7, 14], seen, basis)
    with engine.snapshot() as snapshot:
        assert units_seen(snapshot) == {7: (5, "b"), 14: (5, "b")}


def test_days_and_channels_that_changed_are_told_by_batch(engine: Engine) -> None:
    with engine.writing("readings", "test", "test", 1) as writing:
        rows = {"channel": [1, 2], "day": [100, 101], "value": [0, 0], "arrived": [1, 1], "estimated": [0, 0]}
        writing.append("rollup_day", pa.table({**rows, "batch": [writing.batch.id] * 2}))
    with engine.snapshot() as snapshot:
        assert [part.tolist() for part in changed_days(snapshot)] == [[100, 101], [1, 1]]
        assert changed_channels(snapshot, 100, 101, 0).tolist() == [1]
        assert changed_channels(snapshot, 100, 102, 1).tolist() == []
        assert [changed_since(snapshot, *asked) for asked in ((101, 0), (100, 0), (102, 1))] == [True, False, False]


def test_an_item_is_what_its_last_step_says(engine: Engine) -> None:
    with engine.writing("vee", "run", "test", 1) as writing:
        number = add_item(writing, "leak", "s/m", Step("open", "found", "", 5, 0, {"won": 1}))
    with engine.writing("vee", "run", "test", 1) as writing:
        append_steps(writing, [(number, Step("closed", "mended", "kim", 5, 0, {"won": 2}))])
        append_steps(writing, [])
    with engine.snapshot() as snapshot:
        (now,), (before,) = items(snapshot), items(snapshot, known_batch=1)
        assert items(snapshot, number=99) == []
        assert [step["state"] for step in steps_of(snapshot, number)] == ["open", "closed"]
    assert (now.state, now.actor, now.content) == ("closed", "kim", {"won": 2})
    assert (before.state, before.content, before.id) == ("open", {"won": 1}, now.id)
