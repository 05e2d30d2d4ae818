"""The customer system's list: what it adds, changes and ends; a dry run commits nothing; the same list says nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.registry import Change, Registry, exchange, from_dataset, rewire, sync
from quintet.store.records import ALWAYS, FOREVER, believed
from quintet.terms.errors import BadInput
from quintet.terms.period import to_us

from .conftest import Book, table

MARCH, MAY, JUNE = (datetime(2020, month, 1, tzinfo=UTC) for month in (3, 5, 6))


def commit(book: Book, *rows: dict[str, Any], as_of: datetime = MAY) -> Any:
    found = sync(book.registry(), table(*rows), as_of=as_of)
    book.commit(found.records)
    again = sync(book.registry(), table(*rows), as_of=as_of)
    assert (again.added, again.changed, again.ended, again.records) == ((), (), (), [])
    return found


def test_a_list_adds_changes_and_ends(book: Book, placed: Any) -> None:
    book.register({"meter": "stays"}, {"meter": "moves"}, {"meter": "goes"}, {"meter": "wrong", "cadence_min": 30})
    before = book.batch
    rows = [{"meter": "stays"}, {"meter": "moves", "building": "b2"}, {"meter": "comes"}, {"meter": "wrong"}]
    dry = sync(book.registry(), table(*rows), as_of=MAY)
    assert dry.added == ("s1/comes",)
    assert dry.ended == ("s1/goes",)
    assert dry.changed == (
        Change("s1/moves", "place", "s1/b1", "s1/b2"),
        Change("s1/wrong", "cadence_min", 30, 15),
    )
    assert "s1/comes" not in book.registry().channel_ids, "a dry run commits nothing"
    assert commit(book, *rows).records == dry.records
    registry, at = book.registry(), to_us(MAY)
    assert placed(registry, "s1/stays") == [("s1/b1", "consumption", 1, ALWAYS, FOREVER)]
    assert placed(registry, "s1/goes") == [("s1/b1", "consumption", 1, ALWAYS, at)]
    assert placed(registry, "s1/moves") == [
        ("s1/b1", "consumption", 1, ALWAYS, at),
        ("s1/b2", "consumption", 1, at, FOREVER),
    ]
    assert placed(registry, "s1/comes") == [("s1/b1", "consumption", 1, ALWAYS, FOREVER)]
    assert registry.channel_by_name("s1/wrong").reading.cadence_min == 15
    assert registry.channel_by_name("s1/goes").id == 1, "an ended channel is still there to be asked"
    assert placed(book.registry(known_at=before), "s1/goes") == [("s1/b1", "consumption", 1, ALWAYS, FOREVER)]


def test_a_role_changes_from_the_moment_on(book: Book, placed: Any) -> None:
    book.register({})
    commit(book, {"role": "generation"})
    at = to_us(MAY)
    assert placed(book.registry(), "s1/m1") == [
        ("s1/b1", "consumption", 1, ALWAYS, at),
        ("s1/b1", "local_generation", 1, at, FOREVER),
    ]
    commit(book, {"role": "generation", "cadence_min": 60}, as_of=JUNE)
    assert book.registry().placements()["cadence_min"].to_pylist() == [60, 60], "what numbers mean is for all time"
    assert [row[1] for row in placed(book.registry(), "s1/m1")] == ["consumption", "local_generation"]


def test_a_meter_that_comes_back_counts_again(book: Book, placed: Any) -> None:
    book.register({"meter": "a"}, {"meter": "b"})
    commit(book, {"meter": "a"}, as_of=MARCH)
    assert commit(book, {"meter": "a"}, {"meter": "b"}, as_of=JUNE).added == ("s1/b",)
    assert placed(book.registry(), "s1/b") == [
        ("s1/b1", "consumption", 1, ALWAYS, to_us(MARCH)),
        ("s1/b1", "consumption", 1, to_us(JUNE), FOREVER),
    ]
    assert book.registry().channel_ids == {"s1/a": 1, "s1/b": 2}


def test_a_list_undoes_no_exchange_and_no_rewiring(book: Book) -> None:
    registry = book.register({"meter": "a"}, {"meter": "b", "building": "b2"})
    book.commit(exchange(registry, old="s1/a", new={"meter": "fresh"}, at=MARCH).records)
    book.commit(rewire(book.registry(), "s1/b", valid_from=MARCH, place="s1/b1"))
    rows = [{"meter": "a"}, {"meter": "fresh"}, {"meter": "b", "building": "b2"}]
    found = sync(book.registry(), table(*rows), as_of=MAY)
    assert (found.added, found.changed, found.ended, found.records) == ((), (), (), [])


def test_a_removal_that_the_list_states_is_no_coming_back(book: Book, placed: Any) -> None:
    book.register({})
    found = commit(book, {"removed": "2020-03-01T00:00:00Z"})
    assert found.changed == (Change("s1/m1", "removed", None, "2020-03-01T00:00:00+00:00"),)
    assert placed(book.registry(), "s1/m1") == [("s1/b1", "consumption", 1, ALWAYS, to_us(MARCH))]


def test_a_row_with_a_fault_ends_nothing(book: Book) -> None:
    book.register({"meter": "a"}, {"meter": "b"})
    found = sync(book.registry(), table({"meter": "a"}, {"meter": "b", "unit": "?"}), as_of=MAY)
    assert (found.ended, found.records) == ((), [])
    assert found.problems["code"].to_pylist() == ["unknown_unit"]
    twice = sync(book.registry(), table({"meter": "a"}, {"meter": "b"}, {"meter": "b", "cadence_min": 60}), as_of=MAY)
    assert (twice.ended, twice.records) == ((), [])
    assert twice.problems["code"].to_pylist() == ["duplicate_meter"] * 2


def test_a_meter_that_begins_later_never_was(book: Book, placed: Any) -> None:
    book.register({"meter": "a"}, {"meter": "b", "installed": "2020-06-01"})
    assert commit(book, {"meter": "a"}, as_of=MAY).ended == ("s1/b",)
    assert placed(book.registry(), "s1/b") == []
    assert book.registry().channels().num_rows == 2


def test_an_empty_list_is_refused(book: Book) -> None:
    book.register({})
    with pytest.raises(BadInput, match="no rows"):
        sync(book.registry(), table({}).slice(0, 0), as_of=MAY)


ROWS = [
    {"meter": name, "building": place, "role": role}
    for name in "abc"
    for place in ("x", "y")
    for role in ("net", "import")
]
LISTS = st.lists(st.sampled_from(ROWS), min_size=1, unique_by=lambda row: row["meter"])


@given(LISTS, LISTS, LISTS)
def test_after_a_sync_the_registry_says_what_the_list_says(first: Any, second: Any, third: Any) -> None:
    registry = Registry.from_records(believed(from_dataset(Registry.from_records([]), table(*first)).records))
    for rows, moment in ((second, MAY), (third, JUNE)):
        registry = registry.with_records(sync(registry, table(*rows), as_of=moment).records)
        now = [row for row in registry.placements().to_pylist() if row["end_us"] == FOREVER]
        names = {number: name for name, number in registry.channel_ids.items()}
        flows = {"net": "consumption", "import": "import"}
        assert {(names[row["channel"]], row["place"], row["flow"]) for row in now} == {
            (f"s1/{row['meter']}", f"s1/{row['building']}", flows[row["role"]]) for row in rows
        }
        assert sync(registry, table(*rows), as_of=moment).records == []


def test_a_list_that_names_no_premise_moves_nobody(book: Book) -> None:
    book.register({"premise": "101", "dials": 5})
    assert sync(book.registry(), table({"primary_use": "dwelling"}), as_of=MAY).changed == ()
    found = sync(book.registry(), table({"building": "b2"}), as_of=MAY)
    assert found.changed == (Change("s1/m1", "place", "s1/b1/101", "s1/b2"),)
    found = sync(book.registry(), table({"premise": "102"}), as_of=MAY)
    assert found.changed == (Change("s1/m1", "place", "s1/b1/101", "s1/b1/102"),)


def test_all_types_of_a_meter_move_together_and_once(book: Book, placed: Any) -> None:
    types: list[dict[str, Any]] = [{"commodity": "heat"}, {"commodity": "hot_water"}]
    book.register(*types)
    found = commit(book, *({**row, "building": "b2"} for row in types))
    assert [record.key for record in found.records if record.kind == "usage_point"] == ["s1/m1"]
    for name in ("s1/m1:heat", "s1/m1:hot_water"):
        assert [row[0] for row in placed(book.registry(), name)] == ["s1/b1", "s1/b2"]
