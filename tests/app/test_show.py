"""Tables for people, JSON and CSV for scripts: every digit kept where a script reads."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.app.answer import Answer, Step, document_of
from quintet.app.cells import plain, rows_of, share, text_of
from quintet.app.show import Meterstick, for_people, show

ANSWER = Answer(
    ["name", "kwh"],
    [["난방", "1234567.891234"], ["a,b", None]],
    document_of({"rows": [{"kwh": Decimal("1234567.891234"), "none": None}]}),
    numbers=["kwh"],
    title="Two",
    notes=["a note"],
)


def test_json_keeps_every_digit(capsys: pytest.CaptureFixture[str]) -> None:
    show(ANSWER, "json")
    out = capsys.readouterr()
    assert out.out == '{"rows": [{"kwh": 1234567.891234, "none": null}]}\n'
    assert out.err == "a note\n"


def test_csv_is_quoted_and_empty_where_nothing_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    show(ANSWER, "csv")
    assert capsys.readouterr().out == 'name,kwh\n난방,1234567.891234\n"a,b",\n'


def test_a_table_is_aligned_and_never_cut_when_it_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    wide = "x" * 300
    show(Answer(["name", "kwh"], [[wide, "1.5"]], b"{}", numbers=["kwh"]), "table")
    assert wide in capsys.readouterr().out
    show(ANSWER, "table")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Two"
    assert lines[2].split() == ["난방", "1,234,567.891"]
    assert lines[3].split() == ["a,b", "–"]
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("0", "0"),
        ("1000", "1,000"),
        ("-0.5", "-0.5"),
        ("0.0004", "0"),
        ("12.3456", "12.346"),
        ("x", "x"),
        ("1E3", "1,000"),
    ],
)
def test_numbers_for_people(cell: str, text: str) -> None:
    assert for_people(cell) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_a_cell_says_a_decimal_exactly(number: Decimal) -> None:
    text = text_of(number)
    assert text is not None
    assert Decimal(text) == number
    assert "E" not in text


def test_cells() -> None:
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    row = {"a": None, "b": 0.5, "c": ["import", "export"], "d": True, "e": moment, "f": 7, "g": Decimal("1E+2")}
    assert rows_of(list(row), [row]) == [[None, "0.5", "import export", "yes", "2025-01-01T00:00:00+00:00", "7", "100"]]
    assert plain(row)["c"] == ["import", "export"]
    assert plain({"a": {"b": (moment, 1 / 3)}}) == {"a": {"b": ["2025-01-01T00:00:00+00:00", 0.333333]}}


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (0.0, "0"), (1 / 3, "0.333333"), (-1e-9, "0"), (None, None)])
def test_shares(value: float | None, text: str | None) -> None:
    assert share(value) == text


def test_progress_is_off_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Meterstick() as stick:
        stick(Step("counting", 1, 3))
    out = capsys.readouterr()
    assert (out.out, out.err) == ("", "")
