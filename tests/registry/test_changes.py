"""Exchanges, moves and rewirings: from when they count, and what was believed before."""

from datetime import UTC, datetime
from typing import Any

import pytest

from quintet.registry import Registry, exchange, from_dataset, move_in, move_out, rewire
from quintet.registry.households import own_time
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.errors import BadInput, NotFound, UsageError
from quintet.terms.period import to_us
from quintet.terms.tables import READINGS

from .conftest import Book, table

MARCH, APRIL, MAY, JUNE = (datetime(2020, month, 1, tzinfo=UTC) for month in (3, 4, 5, 6))
FLATS = [{"meter": "left", "premise": "1"}, {"meter": "right", "premise": "2"}]


@pytest.fixture
def flats(book: Book) -> Registry:
    return book.register(*FLATS)


def test_an_exchange_goes_on_at_the_same_usage_point(book: Book, flats: Registry, placed: Any) -> None:
    done = exchange(flats, old="s1/left", new={"meter": "fresh", "dials": 6}, at=MAY, old_final=1234.5, new_first=0.0)
    assert done.readings.schema == READINGS
    assert [(row["meter"], row["value"], row["unit"], row["at"]) for row in done.readings.to_pylist()] == [
        ("left", 1234.5, "kWh", MAY),
        ("fresh", 0.0, "kWh", MAY),
    ]
    before = book.batch
    book.commit(done.records)
    registry = book.registry()
    at = to_us(MAY)
    assert placed(registry, "s1/left") == [("s1/b1/1", "consumption", 1, ALWAYS, at)]
    assert placed(registry, "s1/fresh") == [("s1/b1/1", "consumption", 1, at, FOREVER)]
    rows = {row["name"]: row for row in registry.channels().to_pylist()}
    assert rows["s1/left"]["usage_point"] == rows["s1/fresh"]["usage_point"] == "s1/left"
    assert (rows["s1/left"]["removed"], rows["s1/fresh"]["installed"], rows["s1/fresh"]["dials"]) == (MAY, MAY, 6)
    assert placed(book.registry(known_at=before), "s1/left") == [("s1/b1/1", "consumption", 1, ALWAYS, FOREVER)]
    assert "s1/fresh" not in book.registry(known_at=before).channel_ids
    assert from_dataset(registry, table(*FLATS)).records == [], "the dataset again does not undo it"


def test_an_exchange_without_registers_has_no_readings(flats: Registry) -> None:
    assert exchange(flats, old="s1/left", new={"meter": "fresh"}, at=MAY).readings.num_rows == 0


def test_the_new_meter_may_differ(book: Book, flats: Registry) -> None:
    new = {"meter": "fresh", "unit": "MWh", "cadence_min": 60}
    done = exchange(flats, old="s1/left", new=new, at=MAY, new_first=0.001)
    assert done.readings["unit"].to_pylist() == ["MWh"]
    book.commit(done.records)
    assert book.registry().channel_by_name("s1/fresh").reading.cadence_min == 60


def test_an_exchange_that_cannot_be_is_refused(book: Book, flats: Registry) -> None:
    with pytest.raises(NotFound):
        exchange(flats, old="s1/nobody", new={"meter": "fresh"}, at=MAY)
    with pytest.raises(BadInput, match="there already"):
        exchange(flats, old="s1/left", new={"meter": "right"}, at=MAY)
    with pytest.raises(BadInput, match="unknown unit"):
        exchange(flats, old="s1/left", new={"meter": "fresh", "unit": "?"}, at=MAY)
    with pytest.raises(BadInput, match="no registered channel"):
        exchange(flats, old="s1/left", new={"meter": "fresh", "commodity": "heat"}, at=MAY)
    with pytest.raises(UsageError, match="no offset"):
        exchange(flats, old="s1/left", new={"meter": "fresh"}, at=datetime(2020, 5, 1))  # noqa: DTZ001
    book.commit(exchange(flats, old="s1/left", new={"meter": "fresh"}, at=MAY).records)
    with pytest.raises(BadInput, match="not installed"):
        exchange(book.registry(), old="s1/left", new={"meter": "later"}, at=JUNE)


def test_a_meter_on_the_wrong_flat_is_put_right_from_a_past_date(book: Book, flats: Registry, placed: Any) -> None:
    before = book.batch
    swapped = [("left", "s1/b1/2"), ("right", "s1/b1/1")]
    book.commit(
        [row for meter, place in swapped for row in rewire(flats, f"s1/{meter}", valid_from=MARCH, place=place)]
    )
    registry, at = book.registry(), to_us(MARCH)
    assert placed(registry, "s1/left") == [
        ("s1/b1/1", "consumption", 1, ALWAYS, at),
        ("s1/b1/2", "consumption", 1, at, FOREVER),
    ]
    assert placed(book.registry(known_at=before), "s1/left") == [("s1/b1/1", "consumption", 1, ALWAYS, FOREVER)]
    assert from_dataset(registry, table(*FLATS)).records == [], "the dataset again does not undo it"
    assert rewire(registry, "s1/left", valid_from=JUNE, place="s1/b1/2") == [], "it is there by then"


def test_a_rewiring_moves_all_meters_of_the_point_through_an_exchange(book: Book, flats: Registry, placed: Any) -> None:
    book.commit(exchange(flats, old="s1/left", new={"meter": "fresh"}, at=MAY).records)
    book.commit(rewire(book.registry(), "s1/fresh", valid_from=MARCH, place="s1/b1/2"))
    registry, at, may = book.registry(), to_us(MARCH), to_us(MAY)
    assert [row[0] for row in placed(registry, "s1/left")] == ["s1/b1/1", "s1/b1/2"]
    assert placed(registry, "s1/left")[1][3:] == (at, may)
    assert placed(registry, "s1/fresh") == [("s1/b1/2", "consumption", 1, may, FOREVER)]


def test_a_channel_alone_may_go_to_another_point(book: Book, flats: Registry, placed: Any) -> None:
    book.commit(exchange(flats, old="s1/left", new={"meter": "fresh"}, at=JUNE).records)
    book.commit(rewire(book.registry(), "s1/left", valid_from=MARCH, usage_point="s1/right"))
    registry = book.registry()
    assert placed(registry, "s1/left") == [
        ("s1/b1/1", "consumption", 1, ALWAYS, to_us(MARCH)),
        ("s1/b1/2", "consumption", 1, to_us(MARCH), to_us(JUNE)),
    ]
    assert placed(registry, "s1/fresh") == [("s1/b1/1", "consumption", 1, to_us(JUNE), FOREVER)]
    assert registry.channel_by_name("s1/left").usage_point == "s1/right"


def test_a_meter_behind_another_one_is_found_to_be_a_submeter_from_a_past_date(
    book: Book, flats: Registry, placed: Any
) -> None:
    before, at = book.batch, to_us(MARCH)
    book.commit(rewire(flats, "s1/left", valid_from=MARCH, role="submeter"))
    registry = book.registry()
    assert placed(registry, "s1/left") == [("s1/b1/1", "consumption", 1, ALWAYS, at)], "counted once, by the other one"
    assert placed(book.registry(known_at=before), "s1/left") == [("s1/b1/1", "consumption", 1, ALWAYS, FOREVER)]
    assert from_dataset(registry, table(*FLATS)).records == [], "the dataset again does not undo it"
    assert rewire(registry, "s1/left", valid_from=MAY, role="submeter") == []
    (left,) = (row for row in FLATS if row["meter"] == "left")
    book.commit(from_dataset(registry, table({**left, "role": "generation"})).records)
    (last,) = (row for row in placed(book.registry(), "s1/left") if row[1] != "consumption")
    assert last[1] == "local_generation", "a list that says something new is believed"
    with pytest.raises(UsageError, match="no role 'head'"):
        rewire(registry, "s1/left", valid_from=MAY, role="head")
    with pytest.raises(UsageError, match="or a role"):
        rewire(registry, "s1/left", valid_from=MAY, role="submeter", place="s1/b1/2")


def test_a_rewiring_needs_one_target_that_exists(flats: Registry) -> None:
    with pytest.raises(UsageError):
        rewire(flats, "s1/left", valid_from=MAY)
    with pytest.raises(UsageError):
        rewire(flats, "s1/left", valid_from=MAY, place="s1", usage_point="s1/right")
    with pytest.raises(NotFound, match="Did you mean"):
        rewire(flats, "s1/left", valid_from=MAY, place="s1/b1/3")
    with pytest.raises(NotFound, match="SITE/METER"):
        rewire(flats, "s1/left", valid_from=MAY, usage_point="s1/nobody")
    with pytest.raises(NotFound, match="no channel"):
        rewire(flats, "s1/nobody", valid_from=MAY, place="s1/b1/2")


def test_people_move_in_and_out_and_no_placement_changes(book: Book, flats: Registry) -> None:
    book.commit(move_in(flats, premise="s1/b1/1", occupant="kim", at=MARCH, details={"people": 3}))
    book.commit(move_out(book.registry(), premise="s1/b1/1", at=MAY))
    before = book.batch
    book.commit(move_in(book.registry(), premise="s1/b1/1", occupant="lee", at=JUNE))
    registry = book.registry()
    first, second = registry.occupancies("s1/b1/1")
    assert (first.occupant, first.start_us, first.end_us, first.details) == (
        "kim",
        to_us(MARCH),
        to_us(MAY),
        {"people": 3},
    )
    assert (second.occupant, second.start_us, second.end_us) == ("lee", to_us(JUNE), FOREVER)
    assert registry.placements() == flats.placements()
    assert registry.occupancies("s1/b1/2") == []
    assert len(book.registry(known_at=before).occupancies("s1/b1/1")) == 1


def test_the_same_move_again_says_nothing(book: Book, flats: Registry) -> None:
    book.commit(move_in(flats, premise="s1/b1/1", occupant="kim", at=MARCH))
    assert move_in(book.registry(), premise="s1/b1/1", occupant="kim", at=MARCH) == []
    book.commit(move_out(book.registry(), premise="s1/b1/1", at=MAY))
    assert move_out(book.registry(), premise="s1/b1/1", at=MAY) == []
    assert len(book.registry().occupancies("s1/b1/1")) == 1


def test_who_was_there_before_anybody_said_so_moves_out_too(book: Book, flats: Registry) -> None:
    book.commit(move_in(flats, premise="s1/b1/2", occupant="lee", at=JUNE))
    for premise in ("s1/b1/1", "s1/b1/2"):
        book.commit(move_out(book.registry(), premise=premise, at=MAY))
        assert move_out(book.registry(), premise=premise, at=MAY) == []
    first, (second, after) = (book.registry().occupancies(premise) for premise in ("s1/b1/1", "s1/b1/2"))
    assert [(one.start_us, one.end_us) for one in (*first, second)] == [(ALWAYS, to_us(MAY))] * 2
    assert first[0].occupant != second.occupant, "nobody knows that they are one customer"
    assert (after.occupant, after.start_us) == ("lee", to_us(JUNE))
    assert own_time(book.registry(), "s1/b1/1", to_us(MARCH), FOREVER) == (to_us(MARCH), to_us(MAY))


def test_a_move_that_cannot_be_is_refused(book: Book, flats: Registry) -> None:
    with pytest.raises(NotFound, match="no place"):
        move_in(flats, premise="s1/b1/9", occupant="kim", at=MAY)
    book.commit(move_in(flats, premise="s1/b1/1", occupant="kim", at=MARCH))
    book.commit(move_out(book.registry(), premise="s1/b1/1", at=APRIL))
    with pytest.raises(NotFound, match="nobody lives there"):
        move_out(book.registry(), premise="s1/b1/1", at=MAY)
    book.commit(move_in(book.registry(), premise="s1/b1/1", occupant="kim", at=APRIL))
    with pytest.raises(BadInput, match="kim lives there"):
        move_in(book.registry(), premise="s1/b1/1", occupant="lee", at=MAY)
