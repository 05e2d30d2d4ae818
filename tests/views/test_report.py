"""Totals of a report: a month that is not known leaves the total unknown; and the words are there in both languages."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from quintet.app import report_words
from quintet.app.report_blocks import chart
from quintet.app.report_pages import FLOWS
from quintet.app.report_text import amount_text, month_text, share_text
from quintet.app.report_verify import differing
from quintet.terms.catalogue import read_toml
from quintet.views.answers import BalanceRow, Balances
from quintet.views.report import totals_of

MOMENT = datetime(2025, 1, 1, tzinfo=UTC)


def month(number: int, use: str | None) -> BalanceRow:
    """Give a month in which all came from the grid."""
    amount = None if use is None else Decimal(use)
    nothing = Decimal(0)
    return BalanceRow(
        MOMENT.replace(month=number), "city", "electricity", "kWh", amount, *([nothing] * 6), amount, nothing, None,
        ["import"], 0.5 * number, 0.1,
    )  # fmt: skip


def test_a_total_wants_every_month_and_says_what_is_known() -> None:
    whole = {one.flow: one for one in totals_of(Balances(MOMENT, "r", [month(1, "1.000001"), month(2, "2")]))}
    part = {one.flow: one for one in totals_of(Balances(MOMENT, "r", [month(1, "1.000001"), month(2, None)]))}
    assert (whole["consumption"].total, whole["consumption"].lowest_coverage) == (Decimal("3.000001"), 0.5)
    assert (part["consumption"].total, part["consumption"].known_total) == (None, Decimal("1.000001"))
    assert (part["consumption"].months, part["consumption"].months_known) == (2, 1)
    assert whole["closure_error"].total is None


def test_numbers_keep_their_digits() -> None:
    assert amount_text(Decimal("-1234567.000100")) == "−1,234,567.0001"
    assert (amount_text(None), amount_text(Decimal(0))) == ("–", "0")
    assert (share_text(Decimal("0.42424")), share_text(None)) == ("42.42 %", "–")
    assert [month_text(one) for one in ("2025-02-01T00:00:00+09:00", "2025-02-03T00:00:00+09:00")] == [
        "2025-02", "2025-02-03",
    ]  # fmt: skip


def test_what_is_not_known_is_no_bar() -> None:
    groups = chart("c", "a", "#000000", [("x", [Decimal(2), None], ""), ("y", [Decimal(-1), Decimal(4)], "")])["groups"]
    assert [one["parts"] for one in groups] == [[0.5, None], [0.0, 1.0]]


def test_every_leaf_that_differs_is_found_whatever_its_kind() -> None:
    one = {"a": [Decimal("1.0"), 2], "b": None, "c": "x"}
    other = {"a": [Decimal("1.00"), 2, 3], "b": 0, "c": "x"}
    assert list(differing("", one, other)) == [
        ("/a/0", "1.0", "1.00"), ("/a/2", "nothing", "3"), ("/b", "None", "0"),
    ]  # fmt: skip
    assert list(differing("", one, one)) == []


def test_no_word_is_missing_or_unused() -> None:
    known = set(read_toml("quintet.app", "report.toml")["word"])
    folder = Path(report_words.__file__).parent
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("report_*.py")))
    used = {name for name in known if f'"{name}"' in text} | set(FLOWS)
    asked = set(re.findall(r'words\["(\w+)"\]', text))
    assert (asked - known, known - used) == (set(), set())
    for lang in report_words.LANGUAGES:
        assert set(report_words.words_of(lang)) == known
