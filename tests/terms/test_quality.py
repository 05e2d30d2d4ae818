"""Qualities: the table is complete, and its orders leave no tie where one must decide."""

import pytest

from quintet.terms import quality as module
from quintet.terms.catalogue import read_toml
from quintet.terms.errors import BadInput
from quintet.terms.quality import ORDERED, qualities, qualities_by_id

EXPECTED = {
    # code: (id, kind, ESPI QualityOfReading)
    "valid": (1, "measured", 0),
    "questionable": (2, "measured", 10),
    "derived": (3, "measured", 11),
    "partial": (4, "measured", 10),
    "suspect": (5, "measured", 10),
    "suspect_derived": (6, "measured", 10),
    "rejected": (10, "rejected", 10),
    "withdrawn": (11, "rejected", 10),
    "linear": (20, "estimated", 9),
    "like_day": (21, "estimated", 8),
    "like_day_scaled": (22, "estimated", 8),
    "register_spread": (23, "estimated", 9),
    "check_meter": (24, "estimated", 11),
    "parent_minus_siblings": (25, "estimated", 11),
    "class_profile": (26, "estimated", 8),
    "flat": (27, "estimated", 9),
    "outage_zero": (28, "estimated", 11),
    "last_three_months": (29, "estimated", 8),
    "same_month_last_year": (30, "estimated", 8),
    "same_block_homes": (31, "estimated", 8),
    "last_week": (32, "estimated", 8),
    "like_day_level": (33, "estimated", 8),
    "like_day_median": (34, "estimated", 8),
    "blend": (35, "estimated", 8),
    "median_blend": (36, "estimated", 8),
    "self_tested": (37, "estimated", 8),
    "told_estimate": (38, "estimated", 8),
    "edited": (40, "measured", 7),
    "rejected_by_person": (41, "rejected", 10),
    "edit_withdrawn": (42, "rejected", 10),
}
"""Ids are in every stored interval: they may never change."""


def test_the_table_is_complete_and_its_ids_are_what_stores_hold() -> None:
    found = {code: (row.id, row.kind, row.espi) for code, row in qualities().items()}
    assert {code: said for code, said in found.items() if not code.startswith(ORDERED)} == EXPECTED
    ordered = {code: said for code, said in found.items() if code.startswith(ORDERED)}
    assert ordered == {
        ORDERED + code: (number + 100, kind, espi)
        for code, (number, kind, espi) in EXPECTED.items()
        if kind == "estimated"
    }
    assert all(row.code == code for code, row in qualities().items())


def test_ids_are_distinct_and_fit_a_byte() -> None:
    assert len(qualities_by_id()) == len(qualities())
    assert all(0 < number < 256 for number in qualities_by_id())
    assert all(qualities_by_id()[row.id] is row for row in qualities().values())


def test_only_an_edit_outranks_the_evidence() -> None:
    assert {row.rank for row in qualities().values()} == {30, 40}
    mine = {"edited", "rejected_by_person", "edit_withdrawn"}
    assert {code for code, row in qualities().items() if row.rank == 40 and not code.startswith(ORDERED)} == mine
    assert {row.rank for code, row in qualities().items() if code.startswith(ORDERED)} == {40}


def test_doubt_orders_all_qualities() -> None:
    order = sorted(qualities().values(), key=lambda row: row.doubt)
    assert len({row.doubt for row in order}) == len(order), "no two are equally doubtful"
    assert order[0].code == "valid"
    kinds = [row.kind for row in order]
    assert kinds == sorted(kinds, key=["measured", "estimated", "rejected"].index), (
        "an estimate is more doubtful than a measurement"
    )


def test_kinds_and_codes_outside_are_known_ones() -> None:
    espi = {0, 7, 8, 9, 10, 11, 12, 14, 17, 18, 19}
    assert all(row.kind in {"measured", "estimated", "rejected"} and row.espi in espi for row in qualities().values())


def test_a_row_with_an_unknown_or_a_missing_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    table = read_toml("quintet.terms", "qualities.toml")["quality"]
    for row in ({**table["valid"], "colour": "green"}, {k: v for k, v in table["valid"].items() if k != "doubt"}):
        monkeypatch.setattr(module, "read_toml", lambda *_, row=row: {"quality": {"valid": row}})
        with pytest.raises(BadInput, match="quality valid"):
            module.qualities.__wrapped__()


def test_a_mark_is_just_above_questionable_and_covers_a_quality_that_there_is() -> None:
    assert {one.code: one.covers for one in qualities().values() if one.covers} == {
        "suspect": "valid", "suspect_derived": "derived",
    }  # fmt: skip
    order = sorted(qualities().values(), key=lambda row: row.doubt)
    codes = [row.code for row in order]
    assert codes[codes.index("questionable") + 1 :][:2] == ["suspect", "suspect_derived"]


@pytest.mark.parametrize("covers", ["magic", "linear", "edited", "suspect"])
def test_a_mark_over_what_is_none_or_counts_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch, covers: str) -> None:
    table = read_toml("quintet.terms", "qualities.toml")["quality"]
    rows = {**table, "suspect_derived": {**table["suspect_derived"], "covers": covers}}
    monkeypatch.setattr(module, "read_toml", lambda *_: {"quality": rows})
    with pytest.raises(BadInput, match="suspect_derived: cannot cover"):
        module.qualities.__wrapped__()
