"""Timelines: segments and statements are inverse, and restating turns any one into any other."""

from hypothesis import given
from hypothesis import strategies as st

from quintet.registry.timeline import Timeline, body_at, clip, merged, restate, segments, statements
from quintet.store.records import FOREVER

BODIES = st.one_of(st.none(), st.sampled_from([{"x": 1}, {"x": 2}, {"x": 3}]))
TIMELINES = st.dictionaries(st.integers(0, 8), BODIES, max_size=6).map(lambda said: tuple(sorted(said.items())))


def held(timeline: Timeline) -> list[object]:
    return [body_at(timeline, moment) for moment in range(-1, 11)]


@given(TIMELINES)
def test_segments_and_statements_say_the_same(timeline: Timeline) -> None:
    assert held(statements(segments(timeline))) == held(timeline)


@given(TIMELINES, TIMELINES)
def test_restating_gives_what_is_wanted_and_then_nothing(said: Timeline, wanted: Timeline) -> None:
    after = said
    for record in restate("kind", "key", said, wanted):
        after = merged(after, (record.valid_from_us, record.body)) if after else ((record.valid_from_us, record.body),)
    assert held(after) == held(wanted)
    assert restate("kind", "key", after, wanted) == []


@given(TIMELINES, st.integers(0, 8), st.integers(0, 8))
def test_clipping_keeps_what_lies_within(timeline: Timeline, start: int, end: int) -> None:
    kept = statements(clip(segments(timeline), start, end))
    for moment in range(-1, 11):
        assert body_at(kept, moment) == (body_at(timeline, moment) if start <= moment < end else None)


def test_neighbours_that_say_the_same_are_one_segment() -> None:
    assert segments(((0, {"x": 1}), (5, {"x": 1}))) == [(0, FOREVER, {"x": 1})]
