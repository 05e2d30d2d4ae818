"""What a run finds of values is seen where they are read: marked, lifted, never over what people or estimates say."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.jobs.vee_load import blocks
from quintet.jobs.vee_run import run
from quintet.pipeline.edit_spans import Order, Picked
from quintet.pipeline.edits import Person
from quintet.store.read import content_hash, intervals
from quintet.terms.period import to_us
from quintet.terms.quality import qualities, qualities_by_id
from quintet.vee import rules

from .conftest import City, Reading
from .homes import at, found, judge, readings, register, state

NewCity = Callable[..., City]
DOUBTING = [one.id for one in rules().rules if one.doubts]
KIM = Person("kim", "seen with my own eyes")


def shown(city: City, meter: str, day: int, days: int = 1) -> list[tuple[int, str]]:
    """Give value and quality of a meter's intervals of some days, as a reader sees them."""
    number = city.pipeline.registry().channel_ids[f"s/{meter}"]
    with city.engine.snapshot() as snapshot:
        table = intervals(city.engine, snapshot, to_us(at(day)), to_us(at(day + days)), channels=[number])
    codes = [qualities_by_id()[quality].code for quality in table["quality"].to_pylist()]
    return list(zip(table["value"].to_pylist(), codes, strict=True))


def worth(city: City, meter: str, day: int, days: int = 1) -> set[str]:
    return {quality for _, quality in shown(city, meter, day, days)}


def raised(rows: list[Reading], meter: str, day: int, times: float = 12.0) -> list[Reading]:
    """Let a meter say a day's use some times over: more than the weather does."""
    return [
        (name, moment, round(value * times, 3) if name == meter and at(day) <= moment < at(day + 1) else value)
        for name, moment, value in rows
    ]


def edit(city: City, action: str, meter: str, day: int, days: int = 1, **more: object) -> int:
    number = city.pipeline.registry().channel_ids[f"s/{meter}"]
    picked = Picked(np.array([number], np.int32), to_us(at(day)), to_us(at(day + days)))
    done = city.pipeline.edits.make(Order(action, replace(picked, **more)), KIM)
    assert done.id is not None
    return done.id


def fresh(new_city: NewCity) -> City:
    """Give homes without readings, in a city whose clock is a day after the last reading."""
    city = new_city()
    city.clock_us = to_us(at(36))
    register(city)
    return city


def hash_of(city: City) -> str:
    with city.engine.snapshot() as snapshot:
        return content_hash(snapshot)


@pytest.fixture
def homes(new_city: NewCity) -> City:
    """Give homes of which one says one day's heat twelve times over."""
    city = fresh(new_city)
    city.send(raised(readings(35), "h0-heat", 30))
    return city


def test_a_days_values_that_a_rule_doubts_are_suspect_and_keep_their_values(homes: City) -> None:
    before = shown(homes, "h0-heat", 30)
    sums = homes.rows("select sum(value), sum(arrived), sum(estimated) from rollup_day")
    assert judge(homes).marks_changed >= 24
    after = shown(homes, "h0-heat", 30)
    assert [value for value, _ in after] == [value for value, _ in before]
    assert {quality for _, quality in after} == {"suspect"}
    assert worth(homes, "h0-heat", 20) == worth(homes, "h1-heat", 30) == {"valid"}
    assert homes.rows("select sum(value), sum(arrived), sum(estimated) from rollup_day") == sums
    last = homes.engine.last_batch
    assert judge(homes).units == 0
    assert homes.engine.last_batch == last


def test_what_memory_shows_is_what_the_store_shows_before_and_after_a_restart(new_city: NewCity) -> None:
    city = fresh(new_city)
    city.send(raised(readings(30), "h0-heat", 28))
    judge(city)
    number = city.pipeline.registry().channel_ids["s/h0-heat"]
    day = to_us(at(28)) // 86_400_000_000
    said: list[set[str]] = []
    for _ in range(2):
        held = city.pipeline.recent.day(number, 3_600_000_000, 0, day)
        assert held is not None
        said.append({qualities_by_id()[quality].code for quality in held[2].tolist()})
        city.reopen()
    assert said == [{"suspect"}] * 2


def test_a_rule_that_a_city_silences_marks_nothing_and_marks_it_made_are_lifted(homes: City) -> None:
    marked = judge(homes).marks_changed
    assert worth(homes, "h0-heat", 30) == {"suspect"}
    silent = rules({name: {"severity": "note"} for name in DOUBTING})
    assert run(homes.engine, homes.pipeline, silent, actor="test").marks_changed == marked
    assert worth(homes, "h0-heat", 30) == {"valid"}
    kept = rules({name: {"keeps": "we know our people"} for name in DOUBTING})
    assert run(homes.engine, homes.pipeline, kept, actor="test").marks_changed == 0
    assert judge(homes).marks_changed == marked


def test_a_corrected_value_is_no_longer_marked_and_the_others_are_until_the_next_run(homes: City) -> None:
    judge(homes)
    true = [row for row in readings(35) if row[0] == "h0-heat" and at(30) <= row[1] < at(31)]
    homes.send(true[:1])
    said = [quality for _, quality in shown(homes, "h0-heat", 30)]
    assert said == ["valid"] + ["suspect"] * 23
    homes.send(true[1:])
    assert worth(homes, "h0-heat", 30) == {"valid"}
    judge(homes)
    assert worth(homes, "h0-heat", 30) == {"valid"}


def test_a_reading_that_comes_late_leaves_marks_on_what_it_does_not_change(new_city: NewCity) -> None:
    city = fresh(new_city)
    rows = raised(readings(35), "h0-heat", 30)
    late = [row for row in rows if row[0] == "h0-heat" and row[1] == at(31, 5)]
    city.send([row for row in rows if row not in late])
    judge(city)
    assert worth(city, "h0-heat", 30) == {"suspect"}
    city.send(late)
    assert worth(city, "h0-heat", 30) == {"suspect"}


def test_a_person_who_accepts_a_suspect_value_is_believed_for_good(homes: City) -> None:
    judge(homes)
    number = edit(homes, "accept", "h0-heat", 28, 5, rule="D01", quality=qualities()["suspect"].id)
    assert worth(homes, "h0-heat", 30) == {"edited"}
    assert worth(homes, "h0-heat", 28) == {"valid"}
    judge(homes)
    assert worth(homes, "h0-heat", 30) == {"edited"}
    homes.pipeline.edits.undo(number, KIM)
    judge(homes)
    assert worth(homes, "h0-heat", 30) == {"suspect"}


def test_what_is_estimated_edited_or_questionable_is_left_as_it_is(new_city: NewCity) -> None:
    city = fresh(new_city)
    rows = raised(readings(35), "h0-heat", 30)
    city.send([row for row in rows if row[1] != at(30, 3) or row[0] != "h0-heat"])
    # two values for one moment: questionable
    city.send([("h1-heat", at(30, 4), 5.0)])
    edit(city, "accept", "h0-heat", 30, 1, until_us=to_us(at(30, 2)))
    before = [quality for _, quality in shown(city, "h0-heat", 30)]
    assert before == ["edited"] * 2 + ["valid", "linear"] + ["valid"] * 20
    judge(city)
    after = [quality for _, quality in shown(city, "h0-heat", 30)]
    # a day with an estimate in it is not judged as a day: other rules may still speak of it
    assert [one for one in after if one not in ("valid", "suspect")] == ["edited", "edited", "linear"]


def test_the_marks_of_a_leak_fall_on_nothing(new_city: NewCity) -> None:
    city = fresh(new_city)
    city.send([
        (name, moment, value + 0.05 if name == "h0-water" and moment >= at(30) else value)
        for name, moment, value in readings(35)
    ])  # fmt: skip
    silent = rules({name: {"severity": "note"} for name in DOUBTING})
    assert run(city.engine, city.pipeline, silent, actor="test").marks_changed == 0
    assert ("s/h0-water", "W01") in {(row[1], row[2]) for row in found(city)}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("late"), st.integers(0, 2)),
        st.tuples(st.just("correct"), st.integers(16, 22), st.sampled_from([0.2, 1.0, 5.0])),
        st.tuples(st.just("accept"), st.integers(18, 22)),
        st.tuples(st.just("reject"), st.integers(18, 22)),
        st.tuples(st.just("undo"), st.integers(0, 5)),
        st.tuples(st.just("run")),
        st.tuples(st.just("reopen")),
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(steps=STEPS)
def test_marks_step_by_step_are_those_of_a_run_from_scratch(steps: list[tuple[str, int, float]]) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        step, whole = (City(Path(name), clock_us=to_us(at(25))) for name in (one, other))
        with closing(step), closing(whole):
            told(step, whole, steps)


def told(step: City, whole: City, steps: list[tuple[str, int, float]]) -> None:
    """Tell a story to two cities; one judges on its way, the other at the end."""
    rows = raised(readings(24, 2), "h0-heat", 20)
    late = [[row for row in rows if row[0] == "h0-heat" and at(d, 2) <= row[1] < at(d, 9)] for d in (19, 21, 22)]
    first = [row for row in rows if not any(row in part for part in late)]
    for city in (step, whole):
        register(city, 2)
        city.send(first)
    judge(step)
    made: list[int] = []
    for name, *asked in steps:
        if name == "run":
            judge(step)
        elif name == "reopen":
            step.reopen()
        else:
            numbers = {act(city, name, asked, (late, made, rows)) for city in (step, whole)}
            made += [number for number in numbers if number is not None]
    judge(step)
    judge(whole)
    assert hash_of(step) == hash_of(whole)
    assert state(step)[0] == state(whole)[0]
    last = step.engine.last_batch
    judge(step)
    assert step.engine.last_batch == last


def act(
    city: City, name: str, asked: list[float], story: tuple[list[list[Reading]], list[int], list[Reading]]
) -> int | None:
    """Do one step of a story; gives the number of an edit that was made."""
    late, made, rows = story
    day = int(asked[0])
    if name == "late":
        city.send(late[day])
    elif name == "correct":
        city.send([row for row in raised(rows, "h0-heat", day, asked[1]) if at(day) <= row[1] < at(day + 1)])
    elif name == "undo":
        known = [number for number in made if not city.rows(f"select 1 from edit where undoes = {number}")]
        if known:
            city.pipeline.edits.undo(known[day % len(known)], KIM)
    else:
        open_ = {quality for _, quality in shown(city, "h0-heat", day)} - {"edited", "rejected_by_person"}
        return edit(city, name, "h0-heat", day) if open_ else None
    return None


def test_a_run_sees_beneath_its_marks(homes: City) -> None:
    number = homes.pipeline.registry().channel_ids["s/h0-heat"]
    assert judge(homes).marks_changed
    with homes.engine.snapshot() as snapshot:
        (block,) = blocks(
            homes.engine, snapshot, homes.pipeline.meaning(), np.array([number], np.int32), to_us(at(28)), to_us(at(35))
        )
    assert set(block.quality.ravel().tolist()) == {qualities()["valid"].id}
