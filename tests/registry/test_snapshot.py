"""The snapshot as a whole: where channels stand, what it lists, and that nothing in it changes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from quintet.registry import Registry, apply_settings, exchange, rewire
from quintet.terms.errors import NotFound

from .conftest import Book

MAY = datetime(2020, 5, 1, tzinfo=UTC)


def test_a_channel_stands_where_its_usage_point_is(book: Book) -> None:
    registry = book.register({"meter": "a", "role": "submeter"}, {"meter": "b", "building": "b2"})
    assert [registry.place_of(number) for number in (1, 2)] == ["s1/b1", "s1/b2"]
    assert registry.placements().num_rows == 1, "a submeter counts nowhere and stands somewhere all the same"
    book.commit(rewire(registry, "s1/a", valid_from=MAY, place="s1/b2"))
    assert book.registry().place_of(1) == "s1/b2"
    book.commit(exchange(book.registry(), old="s1/a", new={"meter": "c"}, at=MAY).records)
    assert book.registry().place_of(3) == "s1/b2"
    with pytest.raises(NotFound, match="id 4"):
        book.registry().place_of(4)


def test_a_snapshot_is_not_changed_by_what_comes_after(book: Book) -> None:
    registry = book.register({"meter": "a"})
    before = (registry.channels(), registry.placements(), dict(registry.channel_ids))
    later = registry.with_records(exchange(registry, old="s1/a", new={"meter": "b"}, at=MAY).records)
    assert later.channel_ids == {"s1/a": 1, "s1/b": 2}
    assert (registry.channels(), registry.placements(), dict(registry.channel_ids)) == before


def test_tables_are_made_once(book: Book) -> None:
    registry = book.register({})
    assert registry.channels() is registry.channels()
    assert registry.placements() is registry.placements()
    assert registry.places() is registry.places()


def test_a_place_described_later_keeps_its_meters(book: Book) -> None:
    book.register({})
    rows = [{"id": "d1", "level": "district"}, {"id": "s1", "level": "complex", "parent": "d1", "name_en": "First"}]
    book.commit(apply_settings(book.registry(), {"place": rows}))
    registry = book.register({}, {"meter": "m2"})
    assert registry.descendants("d1") == {"d1", "s1", "s1/b1"}
    assert registry.tree.bodies["s1"]["name_en"] == "First"


def test_own_commodities_come_beside_the_shipped_ones(book: Book) -> None:
    row: dict[str, Any] = {"name_en": "steam", "name_ko": "증기", "measures": {"energy": "MWh"}, "balanced": False}
    book.commit(apply_settings(book.registry(), {"commodity": {"steam": row}}))
    registry = book.register({"commodity": "steam"}, {"meter": "m2"})
    assert registry.channels()["balanced"].to_pylist() == [False, True]
    assert Registry.from_records([]).commodities.get("steam") is None


def test_meters_are_listed_in_order(book: Book) -> None:
    registry = book.register(
        {"meter": "b", "premise": "1"}, {"meter": "a"}, {"meter": "c"}, {"meter": "c", "commodity": "gas"}
    )
    assert [(meter.meter, meter.premise, meter.channels) for meter in registry.meters()] == [
        ("a", None, ("s1/a",)),
        ("b", "1", ("s1/b",)),
        ("c", None, ("s1/c:electricity", "s1/c:gas")),
    ]
