"""Dated records: the latest batch that spoke of the same moment is believed; units as received keep their numbers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.store.book import add_unit_codes, unit_codes
from quintet.store.records import ALWAYS, FOREVER, Record, believed

from .conftest import Store

RECORDS = st.lists(
    st.builds(
        Record,
        st.sampled_from(["place", "plant"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from([ALWAYS, 0, 5]),
        st.one_of(st.none(), st.fixed_dictionaries({"n": st.integers(0, 9)})),
        st.integers(1, 4),
    ),
    max_size=12,
    unique_by=lambda record: (record.kind, record.key, record.valid_from_us, record.batch),
)


@given(RECORDS, st.randoms(use_true_random=False))
def test_what_is_believed_does_not_depend_on_order(records: list[Record], dice: object) -> None:
    shuffled = list(records)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    found = believed(records)
    assert believed(shuffled) == found
    assert [(r.kind, r.key, r.valid_from_us) for r in found] == sorted(
        {(r.kind, r.key, r.valid_from_us) for r in records}
    )
    for record in found:
        same = [
            r for r in records if (r.kind, r.key, r.valid_from_us) == (record.kind, record.key, record.valid_from_us)
        ]
        assert record.batch == max(r.batch for r in same)


def test_an_end_is_believed_like_any_statement() -> None:
    said = Record("plant", "p", 5, {"kind": "solar"}, 1)
    ended = replace(said, body=None, batch=2)
    assert believed([said, ended]) == [ended]
    assert believed([said]) == [said]
    assert ALWAYS < 0 < FOREVER


def test_units_as_received_are_numbered_once(store: Store) -> None:
    with store.engine.writing("readings", "test", "test", store.tick()) as writing:
        assert add_unit_codes(writing, {}, ["kWh", "m3", "kWh"]) == {"kWh": 0, "m3": 1}
    store.reopen()
    with store.engine.writing("readings", "test", "test", store.tick()) as writing:
        assert add_unit_codes(writing, unit_codes(writing), ["L", "m3"]) == {"kWh": 0, "m3": 1, "L": 2}


def test_a_unit_of_a_batch_that_failed_is_not_remembered(store: Store) -> None:
    def half() -> None:
        with store.engine.writing("readings", "test", "test", store.tick()) as writing:
            add_unit_codes(writing, {}, ["kWh"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    with store.engine.snapshot() as snapshot:
        assert unit_codes(snapshot) == {}
