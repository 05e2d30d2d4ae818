"""The XLSX of a report: rows with their amounts, and formulas that make totals, shares and sums from those rows.

Cells hold binary numbers of 15 digits, as sheets do; figures.json has every digit. The same figures give the
same bytes.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from .report_ghg import Figures
from .report_pages import FLOWS, SOURCES, USES, title_of
from .report_words import words_of

Cell = str | Decimal | int | float | None
WIDTH = 16
HEAD = 1
"""The first row of data: one row of names stands above."""


class Sheet:
    """One sheet: names above, rows below, formulas with what they come to, so that a viewer need not count."""

    def __init__(self, book: Any, name: str, columns: Sequence[str]) -> None:
        """Make a sheet with bold names that stay in sight."""
        self._sheet = book.add_worksheet(name[:31])
        self.name = name[:31]
        self._bold = book.add_format({"bold": True})
        self._sheet.freeze_panes(HEAD, 0)
        self._sheet.set_column(0, max(len(columns) - 1, 0), WIDTH)
        for at, text in enumerate(columns):
            self._sheet.write_string(0, at, text, self._bold)
        self.rows = HEAD

    def row(self, cells: Sequence[Cell]) -> int:
        """Write a row of data; nothing is written where nothing is known. Gives its number."""
        for at, cell in enumerate(cells):
            if isinstance(cell, str):
                self._sheet.write_string(self.rows, at, cell)
            elif cell is not None:
                self._sheet.write_number(self.rows, at, float(cell))
        self.rows += 1
        return self.rows - 1

    def formula(self, row: int, column: int, text: str, value: Cell) -> None:
        """Write a formula and what it comes to."""
        said = "" if value is None else float(value) if not isinstance(value, str) else value
        self._sheet.write_formula(row, column, f"={text}", self._bold, said)

    def column(self, at: int) -> str:
        """Name a column of this sheet's data, to be used from any sheet."""
        letter = xl_col_to_name(at)
        return f"'{self.name}'!${letter}${HEAD + 1}:${letter}${max(self.rows, HEAD + 1)}"


def xlsx_of(figures: Figures, basis: Figures, lang: str) -> bytes:
    """Give the workbook's bytes."""
    words, out = words_of(lang), BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    made = datetime.fromisoformat(figures["known_at"]).replace(tzinfo=None)
    book.set_properties({"title": title_of(figures, lang), "author": figures[f"city_{lang}"], "created": made})
    _summary(book, figures, basis, words)
    balance = _balance(book, figures, words)
    _totals(book, figures, balance, words)
    _uncertainty(book, figures, words)
    _losses(book, figures, words)
    _definitions(book, figures, lang)
    _steps(book, figures, lang)
    emissions = _emissions(book, figures, words)
    _scopes(book, figures, emissions, words)
    _gpc(book, figures, lang)
    _missing(book, figures, words)
    book.close()
    return out.getvalue()


def _summary(book: Any, figures: Figures, basis: Figures, words: Any) -> None:
    sheet = Sheet(book, words["sheet_summary"], ["", ""])
    chosen = basis["factor_set"]
    for name, said in (
        (words["known_at"].format(moment=""), figures["known_at"]), ("from", figures["from"]), ("to", figures["to"]),
        (words["rule_set"], basis["rule_set"]), (words["factor_set"], f"{chosen['name']} {chosen['digest']}"),
        (words["data"], basis["data"]), (words["registry"], basis["registry"]), ("", words["exact_note"]),
    ):  # fmt: skip
        sheet.row([name.strip(), said])


def _balance(book: Any, figures: Figures, words: Any) -> Sheet:
    """Write the months, and beside each its closure counted again from the row's own cells."""
    first = [words["month"], words["carrier"], words["unit"]]
    after = [words[one] for one in ("derived", "coverage", "estimated_share", "check")]
    sheet = Sheet(book, words["sheet_balance"], [*first, *(words[flow] for flow in FLOWS), *after])
    for row in figures["balance"]:
        cells = [row["start"][:10], row["commodity"], row["unit"], *(row[flow] for flow in FLOWS)]
        at = sheet.row([*cells, " ".join(row["derived"]), row["coverage"], row["estimated_share"]])
        known = [row[flow] for flow in (*SOURCES, *USES)]
        value = None if None in known else _total(known[: len(SOURCES)]) - _total(known[len(SOURCES) :])
        low, mid, high = (xl_rowcol_to_cell(at, 3 + shift) for shift in (0, len(SOURCES), len(FLOWS) - 2))
        end = xl_rowcol_to_cell(at, 2 + len(SOURCES))
        count = f"COUNT({low}:{high})={len(SOURCES) + len(USES)}"
        sheet.formula(at, len(cells) + 3, f'IF({count},SUM({low}:{end})-SUM({mid}:{high}),"")', value)
    return sheet


def _total(amounts: Sequence[Decimal]) -> Decimal:
    return sum((Decimal(one) for one in amounts), Decimal(0))


def _totals(book: Any, figures: Figures, balance: Sheet, words: Any) -> None:
    """Write each flow's total as a sum over the balance's rows; unknown where a month is."""
    names = [words[one] for one in ("carrier", "unit", "flow", "total")]
    sheet = Sheet(book, words["sheet_totals"], names)
    for one in figures["totals"]:
        at = sheet.row([one["commodity"], one["unit"], words[one["flow"]]])
        amounts = balance.column(3 + FLOWS.index(one["flow"]))
        keys = f"{balance.column(1)},$A{at + 1},{balance.column(2)},$B{at + 1}"
        whole = f'COUNTIFS({keys},{amounts},"<>")=COUNTIFS({keys})'
        sheet.formula(at, 3, f'IF({whole},SUMIFS({amounts},{keys}),"")', one["total"])


def _uncertainty(book: Any, figures: Figures, words: Any) -> None:
    names = ("month", "carrier", "unit", "flow", "total", "low", "high", "coverage", "estimated_share", "reason")
    sheet = Sheet(book, words["sheet_uncertainty"], [words[one] for one in names])
    whole = {**figures["certainty_whole"], "start": words["whole"]}
    for part in (*figures["certainty"], whole):
        for one in part["rows"]:
            sheet.row([
                part["start"][:10], one["commodity"], one["unit"], words[one["flow"]],
                *(one[name] for name in ("total", "low", "high", "coverage", "estimated_share", "reason")),
            ])  # fmt: skip


def _losses(book: Any, figures: Figures, words: Any) -> None:
    names = ("month", "network", "carrier", "unit", "head", "below", "loss", "reason")
    sheet = Sheet(book, words["sheet_losses"], [words[one] for one in names])
    for one in figures["losses"]:
        sides = [one["head"], one["below"]]
        at = sheet.row([one["start"][:10], one["network"], one["commodity"], one["unit"], *sides, None, one["reason"]])
        if one["loss"] is not None:
            sheet.formula(at, 6, f"E{at + 1}-F{at + 1}", one["loss"])


def _definitions(book: Any, figures: Figures, lang: str) -> None:
    """Write definitions; the value is the numerator by the denominator."""
    words, found = words_of(lang), figures["self_sufficiency"]
    bound = found["pinned"]["definition"] if found["pinned"] else None
    names = ("definition", "unit", "numerator", "denominator", "value", "matched", "coverage", "estimated_share")
    sheet = Sheet(book, words["sheet_self"], [*(words[one] for one in names), words["pinned"], words["reason"]])
    for one in found["definitions"]:
        mark = words["pinned"] if one["id"] == bound else ""
        at = sheet.row([
            one[f"name_{lang}"], one["unit"], one["numerator"], one["denominator"], None, one["matched"],
            one["coverage"], one["estimated_share"], mark, one["reason"],
        ])  # fmt: skip
        if one["value"] is not None:
            sheet.formula(at, 4, f'IF(D{at + 1}=0,"",C{at + 1}/D{at + 1})', one["value"])


def _steps(book: Any, figures: Figures, lang: str) -> None:
    words = words_of(lang)
    names = ("before", "before", "by_assumption", "by_intervals", "after", "after", "step", "reason")
    sheet = Sheet(book, words["sheet_explain"], [words[one] for one in names])
    for one in figures["explanation"]["steps"]:
        numbers = [one[name] for name in ("value_before", "by_assumption", "by_intervals")]
        name = one[f"before_name_{lang}"]
        at = sheet.row([name, *numbers, None, one[f"after_name_{lang}"], one[f"words_{lang}"], one["reason"]])
        if None not in numbers:
            sheet.formula(at, 4, f"SUM(B{at + 1}:D{at + 1})", one["value_after"])


def _emissions(book: Any, figures: Figures, words: Any) -> Sheet:
    names = (
        "month",
        "scope",
        "source_id",
        "carrier",
        "amount",
        "unit",
        "kg",
        "factor",
        "published",
        "origin",
        "reason",
    )
    sheet = Sheet(book, words["sheet_emissions"], [words[one] for one in names])
    for one in figures["emissions"]["rows"]:
        sheet.row([
            one["start"][:10], one["scope"], one["source_id"], one["commodity"], one["amount"], one["unit"],
            one["kg_co2e"], one["factor"], one["published_on"], one["source"], one["reason"] or one["notation"],
        ])  # fmt: skip
    return sheet


def _scopes(book: Any, figures: Figures, emissions: Sheet, words: Any) -> None:
    """Write each scope's sum over the sources' rows."""
    sheet = Sheet(book, words["sheet_scopes"], [words[one] for one in ("scope", "kg", "market", "without")])
    for one in figures["emissions"]["scopes"]:
        without = one["without_number"]
        at = sheet.row([one["scope"], None, one["market_kg_co2e"], without])
        if one["kg_co2e"] is not None:
            sheet.formula(at, 1, f"SUMIFS({emissions.column(6)},{emissions.column(1)},$A{at + 1})", one["kg_co2e"])


def _gpc(book: Any, figures: Figures, lang: str) -> None:
    words = words_of(lang)
    names = ("sub_sector", "name", "scope", "kg", "notation", "quality", "reason")
    sheet = Sheet(book, words["sheet_gpc"], [words[one] for one in names])
    for one in figures["gpc"]["cells"]:
        cells = [one[name] for name in ("scope", "kg_co2e", "notation", "quality", "reason")]
        sheet.row([one["sub_sector"], one[f"name_{lang}"], *cells])


def _missing(book: Any, figures: Figures, words: Any) -> None:
    names = ("part", "subject", "periods", "coverage", "reason")
    sheet = Sheet(book, words["sheet_missing"], [words[one] for one in names])
    for one in figures["missing"]:
        sheet.row([one[name] for name in names])
