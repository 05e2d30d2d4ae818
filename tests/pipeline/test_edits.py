"""Edits: they outrank, they are undone without a trace in the figures, and nothing that arrives harms either."""

import os
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.pipeline.assigned import assign, lift
from quintet.pipeline.edit_spans import Order, Picked, Values
from quintet.pipeline.edits import Person
from quintet.pipeline.rows import IntervalRows
from quintet.store.read import ESTIMATED, MEASURED
from quintet.store.runs import FINDINGS, append_findings
from quintet.terms.errors import BadInput, NotFound, QuintetError, UsageError
from quintet.terms.quality import qualities

from .conftest import Bench

START = datetime(2025, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOUR_US = 3_600_000_000
KWH = 1_000_000
EDITED, REJECTED, VALID, LINEAR = (
    qualities()[code].id for code in ("edited", "rejected_by_person", "valid", "edited_linear")
)
ANNE = Person("Anne", "the meter was read by hand")
METERS = {"e": ("electricity", "kWh", "interval_sum", 60), "r": ("electricity", "kWh", "register_cumulative", 60)}


def at(hour: int) -> int:
    return round((START + HOUR * hour).timestamp()) * 1_000_000


def picked(low: int, high: int, channel: int = 1, **more: Any) -> Picked:
    return Picked(np.array([channel], np.int32), at(low), at(high), **more)


def fed(bench: Bench, hours: int = 6, meter: str = "e", value: float = 1.0) -> Bench:
    bench.register(**METERS)
    bench.send([(meter, START + HOUR * hour, value) for hour in range(hours)])
    return bench


def values(bench: Bench) -> list[tuple[int, int]]:
    return [(value, quality) for _, _, value, quality in bench.effective()]


def test_each_action_says_what_stands_and_an_undo_gives_back_what_was(bench: Bench) -> None:
    fed(bench)
    before, days = bench.effective(), bench.rollup_days()
    orders = {
        (7 * KWH, EDITED): Order("replace", picked(2, 3), value=7 * KWH),
        (1 * KWH, EDITED): Order("accept", picked(2, 3)),
        (1 * KWH, REJECTED): Order("reject", picked(2, 3)),
        (1 * KWH, LINEAR): Order("estimate", picked(2, 3)),
    }
    for stands, order in orders.items():
        known = bench.engine.last_batch
        edit = bench.pipeline.edits.make(order, ANNE)
        assert edit.id is not None
        assert values(bench)[2] == stands
        assert bench.effective(known) == before, "as known before, nothing was edited"
        bench.pipeline.edits.undo(edit.id, ANNE)
        assert bench.effective() == before
        assert bench.rollup_days() == days


def test_what_arrives_under_an_edit_shows_when_it_is_undone(bench: Bench) -> None:
    fed(bench)
    edit = bench.pipeline.edits.make(Order("replace", picked(2, 4), value=7 * KWH), ANNE)
    bench.send([("e", START + HOUR * 2, 3.0)])
    assert values(bench)[2] == (7 * KWH, EDITED)
    assert edit.id is not None
    bench.pipeline.edits.undo(edit.id, ANNE)
    assert [value for value, _ in values(bench)] == [KWH, KWH, 3 * KWH, KWH, KWH, KWH]
    bench.send([("e", START + HOUR * 2, 4.0)])
    assert values(bench)[2][0] == 4 * KWH, "what arrives after the undo counts again"


def test_the_later_of_two_edits_counts_and_its_undo_gives_the_earlier(bench: Bench) -> None:
    fed(bench)
    first, second = (
        bench.pipeline.edits.make(Order("replace", picked(low, 5), value=value * KWH), ANNE)
        for low, value in ((1, 5), (3, 9))
    )
    assert first.id is not None
    assert second.id is not None
    assert [value // KWH for value, _ in values(bench)] == [1, 5, 5, 9, 9, 1]
    bench.pipeline.edits.undo(second.id, ANNE)
    assert [value // KWH for value, _ in values(bench)] == [1, 5, 5, 5, 5, 1]
    bench.pipeline.edits.undo(first.id, ANNE)
    assert [value // KWH for value, _ in values(bench)] == [1] * 6


def test_an_edit_of_a_closed_day_works_as_a_late_reading_does(bench: Bench) -> None:
    fed(bench, 30)
    before = bench.effective()
    bench.close_all()
    edit = bench.pipeline.edits.make(Order("replace", picked(2, 4), value=7 * KWH), ANNE)
    assert [value // KWH for value, _ in values(bench)][:5] == [1, 1, 7, 7, 1]
    bench.close_all()
    assert [value // KWH for value, _ in values(bench)][:5] == [1, 1, 7, 7, 1]
    bench.reopen()
    assert edit.id is not None
    bench.pipeline.edits.undo(edit.id, ANNE)
    for _ in range(2):
        assert bench.effective() == before
        bench.close_all()


def test_a_dry_run_shows_and_stores_nothing(bench: Bench) -> None:
    fed(bench)
    batch = bench.engine.last_batch
    shown = bench.pipeline.edits.make(Order("replace", picked(2, 4), value=7 * KWH), ANNE, dry_run=True)
    assert (shown.id, bench.engine.last_batch) == (None, batch)
    assert shown.plan.before.value.tolist() == [KWH, KWH]
    assert shown.plan.after.value.tolist() == [7 * KWH, 7 * KWH]
    assert shown.days["value"].to_pylist() == [12 * KWH]


def test_an_edit_may_fill_what_is_missing_and_stand_ahead_of_what_arrives(bench: Bench) -> None:
    fed(bench)
    edit = bench.pipeline.edits.make(Order("replace", picked(5, 9), value=2 * KWH), ANNE)
    bench.send([("e", START + HOUR * 6, 1.0)])
    bench.send([("e", START + HOUR * 7, 1.0), ("e", START + HOUR * 9, 1.0)])
    assert [value // KWH for value, _ in values(bench)] == [1] * 5 + [2] * 4 + [1]
    assert edit.id is not None
    bench.pipeline.edits.undo(edit.id, ANNE)
    scratch = [value // KWH for value, _ in values(bench)]
    assert scratch == [1] * 10


def test_a_filter_chooses_by_quality_and_by_rule(bench: Bench) -> None:
    fed(bench)
    bench.send([("e", START + HOUR * 3, 2.0)])
    bench.pipeline.edits.make(Order("reject", picked(0, 6, rule="V19_corrected")), ANNE)
    assert [quality == REJECTED for _, quality in values(bench)] == [False] * 3 + [True] + [False] * 2
    bench.pipeline.edits.make(Order("accept", picked(0, 6, quality=REJECTED)), ANNE)
    assert [quality == EDITED for _, quality in values(bench)] == [False] * 3 + [True] + [False] * 2


def test_a_list_of_values_changes_the_intervals_it_names(bench: Bench) -> None:
    fed(bench)
    listed = Values(np.array([at(1), at(4)]), np.array([5 * KWH, 6 * KWH]))
    bench.pipeline.edits.make(Order("replace", picked(0, 6), values=listed), ANNE)
    assert [value // KWH for value, _ in values(bench)] == [1, 5, 1, 1, 6, 1]


def test_an_ordered_estimate_may_keep_the_total(bench: Bench) -> None:
    fed(bench)
    bench.send([("e", START + HOUR * 2, 5.0), ("e", START + HOUR * 3, 0.0)])
    bench.pipeline.edits.make(Order("estimate", picked(2, 4), keep_total=True), ANNE)
    assert values(bench)[2:4] == [(2_500_000, LINEAR), (2_500_000, LINEAR)]


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (Order("replace", picked(3, 2), value=1), "bad_range"),
        (Order("replace", picked(2, 3)), "bad_values"),
        (Order("accept", picked(2, 3), value=1), "bad_values"),
        (Order("mend", picked(2, 3)), "bad_action"),
        (Order("accept", picked(20, 30)), "nothing_picked"),
        (Order("reject", picked(0, 6, quality=LINEAR)), "nothing_picked"),
        (Order("replace", picked(2, 24 * 365 * 60), value=1), "future_edit"),
        (Order("replace", picked(-600_000, 1), value=1), "too_many_intervals"),
        (Order("estimate", picked(-100, -90)), "no_estimate"),
        (Order("replace", picked(0, 6), values=Values(np.array([at(1) + 1]), np.array([1]))), "off_grid"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_stored(bench: Bench, order: Order, code: str) -> None:
    fed(bench)
    batch = bench.engine.last_batch
    with pytest.raises(QuintetError) as caught:
        bench.pipeline.edits.make(order, ANNE)
    assert (caught.value.code, bench.engine.last_batch) == (code, batch)


def test_nobody_edits_without_a_name_and_a_reason_and_what_is_undone_stays_so(bench: Bench) -> None:
    fed(bench)
    for by, reason, code in ((" ", "why", "no_name"), ("Anne", "", "no_reason")):
        with pytest.raises(UsageError) as caught:
            Person(by, reason)
        assert caught.value.code == code
    edit = bench.pipeline.edits.make(Order("accept", picked(2, 3)), ANNE)
    assert edit.id is not None
    gone = bench.pipeline.edits.undo(edit.id, ANNE)
    batch = bench.engine.last_batch
    for number, kind, code in (
        (edit.id, BadInput, "already_undone"),
        (gone.id, BadInput, "undo_of_undo"),
        (99, NotFound, "no_such_edit"),
    ):
        with pytest.raises(kind) as refused:
            bench.pipeline.edits.undo(number or 0, ANNE)
        assert refused.value.code == code
    assert bench.engine.last_batch == batch


@pytest.mark.parametrize("meter", ["e", "r"])
def test_the_memory_of_the_newest_days_says_what_the_store_says(bench: Bench, meter: str) -> None:
    fed(bench, 30, meter)
    channel = bench.pipeline.registry().channel_ids[f"s/{meter}"]
    edit = bench.pipeline.edits.make(Order("replace", picked(2, 4, channel), value=7 * KWH), ANNE)
    for undo in (False, True):
        if undo and edit.id is not None:
            bench.pipeline.edits.undo(edit.id, ANNE)
        for _ in range(2):
            assert remembered(bench, channel) == [row for row in bench.effective() if row[0] == channel]
            bench.reopen()


def remembered(bench: Bench, channel: int) -> list[tuple[int, int, int, int]]:
    recent, meaning = bench.pipeline.recent, bench.pipeline.meaning()
    out: list[tuple[int, int, int, int]] = []
    for day in range(recent.first_day, recent.newest + 1):
        held = recent.day(channel, int(meaning.cadence_us[channel]), int(meaning.phase_us[channel]), day)
        assert held is not None
        out += [(channel, *row) for row in zip(*(column.tolist() for column in held), strict=True)]
    return out


def test_listeners_hear_what_stands(bench: Bench) -> None:
    fed(bench)
    heard: list[list[tuple[int, int]]] = []

    def listen(committed: Any) -> None:
        rows = committed.rows
        heard.append([] if rows is None else list(zip(rows.value.tolist(), rows.quality.tolist(), strict=True)))

    bench.pipeline.listeners.append(listen)
    edit = bench.pipeline.edits.make(Order("replace", picked(2, 3), value=7 * KWH), ANNE)
    bench.send([("e", START + HOUR * 2, 3.0)])
    assert edit.id is not None
    bench.pipeline.edits.undo(edit.id, ANNE)
    assert heard[:2] == [[(7 * KWH, EDITED)], []], "what arrives under an edit is not told"
    assert [value for value, _ in heard[2]] == [3 * KWH]


def test_an_edit_stands_over_an_assigned_estimate_and_its_undo_shows_that_again(bench: Bench) -> None:
    fed(bench)
    number = qualities()["check_meter"].id
    one = IntervalRows(*(np.array([value], kind) for value, kind in cells_of(at(8), 3 * KWH, number)))
    assign(bench.pipeline, bench.engine, one, source="run", actor="run")
    before, days = bench.effective(), bench.rollup_days()
    assert before[-1] == (1, at(8), 3 * KWH, number)
    edit = bench.pipeline.edits.make(Order("replace", picked(8, 9), value=5 * KWH), ANNE)
    assert assign(bench.pipeline, bench.engine, one, source="run", actor="run") is None, "an edit stands over it"
    bench.send([("e", START + HOUR * 6, 1.0)])
    assert values(bench)[-1] == (5 * KWH, EDITED)
    assert edit.id is not None
    bench.pipeline.edits.undo(edit.id, ANNE)
    assert [row for row in bench.effective() if row[1] != at(6)] == before
    assert bench.rollup_days() != days, "an hour came"


def cells_of(start: int, value: int, quality: int) -> list[tuple[int, Any]]:
    """Give one interval's columns with their types."""
    return [(1, np.int32), (start, np.int64), (value, np.int64), (quality, np.uint8)]


SPIKE = -5.0
"""Cubic metres of an hour that a water meter cannot show."""


def spiked(bench: Bench) -> Bench:
    """Give four days of a cubic metre an hour, with two hours that cannot be, for which an estimate stands."""
    bench.register(w=("water", "m3", "interval_sum", 60))
    bench.send([("w", START + HOUR * hour, SPIKE if hour in (50, 51) else 1.0) for hour in range(96)])
    assert [quality in (1, 2) for _, quality in values(bench)[49:53]] == [True, False, False, True]
    return bench


def test_to_accept_brings_back_what_a_rule_rejected_and_its_undo_the_estimate(bench: Bench) -> None:
    before, days = spiked(bench).effective(), bench.rollup_days()
    edit = bench.pipeline.edits.make(Order("accept", picked(50, 51)), ANNE)
    assert values(bench)[50] == (-5 * KWH, EDITED)
    assert (edit.plan.before.value[0], edit.plan.after.value[0]) == (before[50][2], -5 * KWH)
    ranged = bench.pipeline.edits.make(Order("accept", picked(48, 54)), ANNE)
    assert values(bench)[48:54] == [(1 * KWH, EDITED)] * 2 + [(-5 * KWH, EDITED)] * 2 + [(1 * KWH, EDITED)] * 2
    bench.close_all()
    for one in (ranged, edit):
        bench.pipeline.edits.undo(one.id or 0, ANNE)
    assert (bench.effective(), bench.rollup_days()) == (before, days)


def test_to_accept_by_rule_takes_those_alone_that_it_rejected(bench: Bench) -> None:
    spiked(bench)
    with bench.engine.snapshot() as snapshot:
        found = snapshot.rows("select rule from finding where at_us = ?", [at(50)])
    bench.pipeline.edits.make(Order("accept", picked(0, 96, rule=found[0][0])), ANNE)
    assert [hour for hour, (_, quality) in enumerate(values(bench)) if quality == EDITED] == [50, 51]


def test_what_a_run_found_is_chosen_by_its_name(bench: Bench) -> None:
    fed(bench)
    found = {"unit": 20089, "channel": 1, "at_us": at(2), "until_us": at(4), "rule": "zero_meter", "verdict": "dead"}
    with bench.engine.writing("vee", "run", "run", bench.now()) as writing:
        append_findings(writing, pa.Table.from_pylist([{**found, "detail": "{}"}], FINDINGS), [20089])
    bench.pipeline.edits.make(Order("reject", picked(0, 6, rule="zero_meter")), ANNE)
    assert [quality == REJECTED for _, quality in values(bench)] == [False, False, True, True, False, False]


def test_to_accept_estimates_by_their_quality_lets_those_very_values_stand(bench: Bench) -> None:
    before = values(spiked(bench))
    quality = before[50][1]
    bench.pipeline.edits.make(Order("accept", picked(0, 96, quality=quality)), ANNE)
    assert values(bench)[50:52] == [(value, EDITED) for value, _ in before[50:52]]


def test_to_accept_uncovers_what_was_measured_beneath_another_edit(bench: Bench) -> None:
    fed(bench)
    bench.pipeline.edits.make(Order("replace", picked(2, 3), value=7 * KWH), ANNE)
    bench.pipeline.edits.make(Order("reject", picked(3, 4)), ANNE)
    bench.send([("e", START + HOUR * 2, 3.0)])
    bench.pipeline.edits.make(Order("accept", picked(2, 4)), ANNE)
    assert values(bench)[2:4] == [(3 * KWH, EDITED), (1 * KWH, EDITED)]


def test_to_accept_an_estimate_of_what_never_came_lets_it_stand(bench: Bench) -> None:
    fed(bench)
    bench.send([("e", START + HOUR * 8, 1.0)])
    before = values(bench)
    bench.pipeline.edits.make(Order("accept", picked(6, 8)), ANNE)
    assert values(bench)[6:8] == [(value, EDITED) for value, _ in before[6:8]]
    bench.send([("e", START + HOUR * 6, 9.0)])
    assert values(bench)[6] == (before[6][0], EDITED), "whatever arrives later"


@pytest.mark.parametrize("meter", ["e", "r"])
def test_to_accept_what_stands_measured_changes_no_value(bench: Bench, meter: str) -> None:
    bench.register(**METERS)
    bench.send([(meter, START + HOUR * hour, hour * 1.5 + 1) for hour in range(12)])
    before = values(bench)
    channel = bench.pipeline.registry().channel_ids[f"s/{meter}"]
    bench.pipeline.edits.make(Order("accept", picked(0, 24, channel)), ANNE)
    assert [value for value, _ in values(bench)] == [value for value, _ in before]
    assert {quality for _, quality in values(bench)} == {EDITED}


def test_an_empty_range_and_a_filter_that_finds_nothing_say_so_with_place_and_remedy(bench: Bench) -> None:
    fed(bench)
    said = [
        (Order("accept", picked(20, 30)), "nothing to accept: nothing was read there", "quintet edit replace"),
        (Order("reject", picked(0, 6, quality=LINEAR)), "6 intervals, but none of quality edited_linear", "filter"),
        (Order("accept", picked(0, 6, rule="V19")), "none in which V19 found something", "filter"),
        (Order("replace", Picked(np.array([1], np.int32), at(0) + 1, at(0) + 2), 1), "no interval", "longer"),
    ]
    for order, message, remedy in said:
        with pytest.raises(BadInput) as caught:
            bench.pipeline.edits.make(order, ANNE)
        assert (message in caught.value.message, remedy in caught.value.remedy) == (True, True), caught.value
        assert "1 channel, 2025-01-06T" in caught.value.place
    with pytest.raises(UsageError, match="no rule 'V99'") as unknown:
        bench.pipeline.edits.make(Order("accept", picked(0, 6, rule="V99")), ANNE)
    assert (unknown.value.place, "V19" in unknown.value.remedy) == ("--rule", True)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, 71), st.integers(1, 30), st.integers(0, 3)),
        st.tuples(st.sampled_from(["replace", "accept", "reject", "estimate"]), st.integers(0, 74), st.integers(1, 12)),
        st.tuples(st.just("undo"), st.integers(0, 9)),
        st.tuples(st.just("assign"), st.integers(0, 74), st.integers(1, 12), st.integers(0, 3)),
        st.tuples(st.just("lift"), st.integers(0, 74), st.integers(1, 24)),
        st.tuples(st.sampled_from(["close", "reopen"])),
    ),
    min_size=3,
    max_size=12,
)


@settings(max_examples=int(os.environ.get("QUINTET_EDIT_RUNS", "6")), deadline=None)
@given(steps=STEPS, meter=st.sampled_from(["e", "r"]))
def test_any_order_of_readings_edits_and_undos_is_edits_over_a_run_from_scratch(steps: list[Any], meter: str) -> None:
    with ExitStack() as stack:
        bench, evidence, scratch = (Bench(Path(stack.enter_context(TemporaryDirectory()))) for _ in range(3))
        for one in (bench, evidence, scratch):
            stack.callback(one.engine.close)
        check(bench, evidence, scratch, steps, meter)


def check(bench: Bench, evidence: Bench, scratch: Bench, steps: list[Any], meter: str) -> None:
    """Play the steps; what stands must be the edits that stand, laid over what the evidence alone gives.

    With all that was assigned lifted, `evidence` says what `scratch` says, which got nothing but the readings.
    """
    standing: dict[int, dict[tuple[int, int], tuple[int, int]]] = {}
    for one in (bench, evidence, scratch):
        one.register(**METERS)
    channel = bench.pipeline.registry().channel_ids[f"s/{meter}"]
    for step in [("send", 0, 60, 1), *steps]:
        play(bench, evidence, step, meter, channel, standing)
        if step[0] == "send":
            scratch.send(readings(step, meter))
    below = {(c, start): (value, quality) for c, start, value, quality in evidence.effective()}
    for number in sorted(standing):
        below |= standing[number]
    expected = [(*key, *below[key]) for key in sorted(below)]
    assert bench.effective() == expected
    assert bench.rollup_days() == summed(expected)
    bench.reopen()
    assert bench.effective() == expected
    assigned(evidence, lift, channel, range(200), 0)
    assert evidence.effective() == scratch.effective()
    newest = bench.pipeline.recent.first_day
    assert remembered(bench, channel) == [row for row in expected if row[1] // (24 * HOUR_US) >= newest]


def readings(step: Any, meter: str) -> list[tuple[str, datetime, float]]:
    """Give what a step sends: a register goes on by two an hour."""
    _, low, count, value = step
    return [
        (meter, START + HOUR * hour, (hour * 2.0 if meter == "r" else 0.0) + value) for hour in range(low, low + count)
    ]


def assigned(bench: Bench, act: Any, channel: int, hours: Iterable[int], value: int) -> None:
    """Assign a value to hours, or lift what was."""
    starts = np.array([at(hour) for hour in hours], np.int64)
    same = np.full(len(starts), value, np.int64)
    number = np.full(len(starts), qualities()["class_profile"].id, np.uint8)
    rows = IntervalRows(np.full(len(starts), channel, np.int32), starts, same, number)
    act(bench.pipeline, bench.engine, rows, source="run", actor="run")


def play(bench: Bench, evidence: Bench, step: Any, meter: str, channel: int, standing: dict[int, Any]) -> None:
    """Do a step; the evidence alone goes to the other store too."""
    if step[0] == "send":
        for one in (bench, evidence):
            one.send(readings(step, meter))
    elif step[0] in ("assign", "lift"):
        over = {start for rows in standing.values() for _, start in rows}  # a run leaves what is edited as it is
        hours = [hour for hour in range(step[1], step[1] + step[2]) if at(hour) not in over]
        for one in (bench, evidence):
            assigned(one, {"assign": assign, "lift": lift}[step[0]], channel, hours, step[-1] * KWH)
    elif step[0] == "undo":
        if standing:
            number = sorted(standing)[step[1] % len(standing)]
            bench.pipeline.edits.undo(number, ANNE)
            del standing[number]
    elif step[0] == "close":
        bench.close_all()
    elif step[0] == "reopen":
        bench.reopen()
    else:
        value = step[2] * KWH if step[0] == "replace" else None
        try:
            edit = bench.pipeline.edits.make(Order(step[0], picked(step[1], step[1] + step[2], channel), value), ANNE)
        except BadInput as error:
            if error.code not in ("nothing_picked", "nothing_changes", "no_estimate"):
                raise
            return
        rows = edit.plan.after
        assert edit.id is not None
        keys = zip(rows.channel.tolist(), rows.start_us.tolist(), strict=True)
        standing[edit.id] = dict(zip(keys, zip(rows.value.tolist(), rows.quality.tolist(), strict=True), strict=True))


def summed(rows: list[tuple[int, int, int, int]]) -> dict[tuple[int, int], tuple[int, int, int]]:
    measured, estimated = ({int(text) for text in words.split(", ")} for words in (MEASURED, ESTIMATED))
    out: dict[tuple[int, int], list[int]] = {}
    for channel, start, value, quality in rows:
        own = out.setdefault((channel, start // (24 * HOUR_US)), [0, 0, 0])
        if quality in measured | estimated:
            own[0] += value
        own[1] += quality in measured
        own[2] += quality in estimated
    return {key: (v, a, e) for key, (v, a, e) in out.items() if v or a or e}
