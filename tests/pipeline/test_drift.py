"""Changes of the fields that a source sends are seen, told once, and never in the way."""

from dataclasses import replace
from typing import Any

import pytest

from quintet.pipeline import drift
from quintet.pipeline.bounds import limits
from quintet.pipeline.delivery import Delivery, Receipt, Shape
from quintet.protocols.payloads.rows import KNOWN
from quintet.store.shapes import change_counts, changes

from .test_groups import METERS, committed, deliver

PLAIN = {"value": "number", "ts": "text"}


def shaped(fields: dict[str, str], source: str = "a", quarter: int = 0) -> Delivery:
    delivery = deliver([("e", quarter, 1.0)], source)
    return replace(delivery, shapes=frozenset(Shape(name, kind) for name, kind in fields.items()))


def told(bench: Any, source: str = "") -> list[tuple[str, str, str, str, str]]:
    """List changes, oldest first: source, change, field, kind, was."""
    with bench.engine.snapshot() as snapshot:
        found = changes(snapshot, limit=1000, source=source).to_pylist()[::-1]
    return [(row["source"], row["change"], row["field"], row["kind"], row["was"]) for row in found]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = replace(limits(), vanished_after=5, source_fields=4, shape_sources=2)
    monkeypatch.setattr(drift, "limits", lambda: bounds)


def test_the_first_delivery_says_what_a_source_is_like(bench: Any) -> None:
    bench.register(**METERS)
    committed(bench, shaped(PLAIN), shaped(PLAIN, "b"))
    committed(bench, shaped(PLAIN, quarter=1))
    assert told(bench) == []


def test_new_retyped_and_renamed_fields_are_told_once(bench: Any, small: None) -> None:
    bench.register(**METERS)
    after = {"reading": "number", "ts": "text", "battery": "text"}
    out = committed(
        bench,
        shaped(PLAIN),
        shaped({**PLAIN, "battery": "number"}, quarter=1),
        shaped({**PLAIN, "battery": "text"}, quarter=2),
        shaped(after, quarter=3),
    )
    expected = {
        ("a", "new", "battery", "number", ""),
        ("a", "retyped", "battery", "text", "number"),
        ("a", "new", "reading", "number", ""),
    }
    assert set(told(bench)) == expected, "whether the old one stays away is not known yet"
    for quarter in range(4, 10):
        committed(bench, shaped(after, quarter=quarter))
    expected.add(("a", "renamed", "reading", "number", "value"))
    assert set(told(bench)) == expected
    assert [one.receipt for one in out] == [Receipt(1)] * 4, "never in the way"
    bench.reopen()
    for quarter in range(10, 17):
        committed(bench, shaped({**after, "battery": "number"}, quarter=quarter))
    assert set(told(bench)) == expected
    with bench.engine.snapshot() as snapshot:
        assert change_counts(snapshot) == {"new": 2, "retyped": 1, "renamed": 1}


def test_fields_of_several_devices_of_a_source_are_no_renames(bench: Any, small: None) -> None:
    bench.register(**METERS)
    one, other = {"value": "number", "rssi": "number"}, {"value": "number", "battery": "number"}
    for quarter in range(20):
        committed(bench, shaped(one if quarter % 2 == 0 else other, quarter=quarter))
    assert told(bench) == [("a", "new", "battery", "number", "")]


def test_the_fields_of_ours_are_those_that_a_row_may_have() -> None:
    assert KNOWN - {"site", "meter", "value"} == drift.OPTIONAL


def test_fields_of_ours_that_come_and_go_are_no_renames(bench: Any, small: None) -> None:
    bench.register(**METERS)
    for quarter, more in enumerate(["unit", *["commodity"] * 9]):
        committed(bench, shaped({**PLAIN, more: "text"}, quarter=quarter))
    assert told(bench) == [("a", "new", "commodity", "text", ""), ("a", "vanished", "unit", "text", "")]


def test_a_field_without_a_value_is_no_change(bench: Any) -> None:
    bench.register(**METERS)
    committed(bench, shaped(PLAIN), shaped({**PLAIN, "value": "null"}, quarter=1), shaped(PLAIN, quarter=2))
    assert told(bench) == []


def test_a_field_that_stays_away_has_vanished_and_may_come_back(bench: Any, small: None) -> None:
    bench.register(**METERS)
    committed(bench, shaped({**PLAIN, "battery": "number"}))
    for quarter in range(1, 12):
        committed(bench, shaped(PLAIN, quarter=quarter))
    assert told(bench) == [("a", "vanished", "battery", "number", "")]
    committed(bench, shaped({**PLAIN, "battery": "number"}, quarter=20))
    assert told(bench)[1:] == [("a", "back", "battery", "number", "")]


def test_a_field_that_is_always_there_never_vanishes(bench: Any, small: None) -> None:
    bench.register(**METERS)
    for quarter in range(20):
        committed(bench, shaped({**PLAIN, **({"rare": "bool"} if quarter % 4 == 0 else {})}, quarter=quarter))
    assert told(bench) == [], "nor does one that comes often enough"


def test_made_up_names_do_not_fill_the_store(bench: Any, small: None) -> None:
    bench.register(**METERS)
    for number in range(10):
        committed(bench, shaped({"value": "number", f"f{number}": "bool"}, quarter=number))
    with bench.engine.snapshot() as snapshot:
        assert snapshot.rows("select count(*) from shape where source = 'a'")[0][0] == 4
    committed(bench, *(shaped(PLAIN, f"source {number}") for number in range(5)))
    with bench.engine.snapshot() as snapshot:
        assert snapshot.rows("select count(distinct source) from shape")[0][0] == 2


def test_what_was_not_stored_is_told_with_the_next_commit(bench: Any) -> None:
    bench.register(**METERS)
    committed(bench, shaped(PLAIN))
    plain = bench.pipeline.write

    def failing(*_: Any, **__: Any) -> Any:
        raise OSError("no room")

    bench.pipeline.write = failing
    with pytest.raises(OSError, match="no room"):
        bench.pipeline.commit_group([shaped({**PLAIN, "battery": "number"}, quarter=1)])
    bench.pipeline.write = plain
    committed(bench, shaped({**PLAIN, "battery": "number"}, quarter=1))
    assert told(bench) == [("a", "new", "battery", "number", "")]
