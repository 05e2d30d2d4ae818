"""Whatever operators do: what was believed stays answerable, and nothing counts in two places at once."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.registry import Registry, exchange, from_dataset, move_in, move_out, rewire, sync
from quintet.store.records import Record
from quintet.terms.errors import QuintetError

from .conftest import Book, table

START = datetime(2020, 1, 1, tzinfo=UTC)
FLATS = [{"meter": f"m{n}", "building": "b", "premise": str(n), "role": "net"} for n in range(3)]
PLACES = ["s1/b/0", "s1/b/1", "s1/b/2"]

moments = st.integers(0, 20).map(lambda weeks: START + timedelta(weeks=weeks))
meters = st.sampled_from(["m0", "m1", "m2", "x0", "x1"])
lists = st.lists(
    st.sampled_from([*FLATS, {**FLATS[0], "premise": "2"}]), min_size=1, unique_by=lambda row: row["meter"]
)
steps = st.one_of(
    st.tuples(st.just("exchange"), moments, meters, st.sampled_from(["x0", "x1", "x2"])),
    st.tuples(st.just("place"), moments, meters, st.sampled_from(PLACES)),
    st.tuples(st.just("point"), moments, meters, meters),
    st.tuples(st.just("sync"), moments, lists, st.none()),
    st.tuples(st.just("in"), moments, st.sampled_from(PLACES), st.sampled_from(["kim", "lee"])),
    st.tuples(st.just("out"), moments, st.sampled_from(PLACES), st.none()),
    st.tuples(st.just("dataset"), moments, st.just(FLATS), st.none()),
)


def done(registry: Registry, step: tuple[str, datetime, Any, Any]) -> list[Record]:
    """Give the records of a step; one that cannot be gives none, with an error for a person."""
    kind, at, what, whereto = step
    try:
        if kind == "exchange":
            return exchange(registry, old=f"s1/{what}", new={"meter": whereto}, at=at).records
        if kind == "place":
            return rewire(registry, f"s1/{what}", valid_from=at, place=whereto)
        if kind == "point":
            return rewire(registry, f"s1/{what}", valid_from=at, usage_point=f"s1/{whereto}")
        if kind == "sync":
            return sync(registry, table(*what), as_of=at).records
        if kind == "in":
            return move_in(registry, premise=what, occupant=whereto, at=at)
        if kind == "out":
            return move_out(registry, premise=what, at=at)
        return from_dataset(registry, table(*what)).records
    except QuintetError:
        return []


def content(registry: Registry) -> Any:
    people = [(row.occupant, row.start_us, row.end_us) for place in PLACES for row in registry.occupancies(place)]
    found = (registry.channels(), registry.placements(), registry.places())
    return [rows.to_pylist() for rows in found], people, registry.meters()


@settings(max_examples=60)
@given(st.lists(steps, max_size=7))
def test_history_stays_and_nothing_counts_twice(history: list[Any]) -> None:
    book = Book()
    believed_then = [content(book.register(*FLATS))]
    grown = book.registry()
    for step in history:
        records = done(book.registry(), step)
        assert len({(record.kind, record.key, record.valid_from_us) for record in records}) == len(records)
        book.commit(records)
        grown = grown.with_records(records)
        believed_then.append(content(book.registry()))
        assert content(grown) == believed_then[-1]
        assert done(book.registry(), step) == [] or step[0] in ("exchange", "in", "point"), (
            "the same step says nothing new"
        )
        check_placements(book.registry())
    for batch, then in enumerate(believed_then, 1):
        assert content(book.registry(known_at=batch)) == then


def check_placements(registry: Registry) -> None:
    """Check that a channel counts at most once at any moment, only at places that exist, and keeps its id."""
    by_channel: dict[int, list[tuple[int, int]]] = {}
    for row in registry.placements().to_pylist():
        assert row["place"] in registry.tree
        by_channel.setdefault(row["channel"], []).append((row["start_us"], row["end_us"]))
    for spans in by_channel.values():
        spans.sort()
        assert all(start < end for start, end in spans)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
    ids = registry.channels()["channel"].to_pylist()
    assert ids == list(range(1, len(ids) + 1))
