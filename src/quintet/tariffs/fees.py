"""Fees that come with a bill and are no part of it: dated rows, outside tax and fund, only where asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import NotFound, UsageError

from .card_rows import DATED, DATED_MAY, span_of, words_of
from .exact import ZERO, number

TV_FEE = "tv_fee"
"""The option that asks for the fee: 1 where it is paid, 0 where not."""
KEYS = DATED | {"commodity", "won", "least_use", "unit"}
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class Fee:
    """One fee: `won` a whole month, none where less than `least_use` of `unit` was used a month."""

    id: str
    name_en: str
    name_ko: str
    commodity: str
    won: Fraction
    least_use: Fraction
    unit: str
    start: date
    until: date
    published_on: str
    source: str
    certainty: str
    note: str
    source_ko: str
    note_ko: str

    def least(self, months: Fraction) -> Fraction:
        """Give the least use over a bill of so many months that a fee is paid for."""
        return self.least_use * months

    def of_months(self, months: Fraction) -> Fraction:
        """Give the fee of a bill of so many months: of whole months only, for how a part counts was read nowhere."""
        return self.won * int(months)

    def won_for(self, use: Fraction, months: Fraction) -> Fraction:
        """Give the fee of a bill."""
        return self.of_months(months) if use >= self.least(months) else ZERO


def _fee(code: str, row: Mapping[str, Any]) -> Fee:
    """Build one fee; one without date or source does not load."""
    place = f"fee {code}"
    check_keys(dict(row), required=KEYS, optional=DATED_MAY, place=place)
    start, until = span_of(row, place)
    return Fee(
        code, row["name_en"], row["name_ko"], row["commodity"], number(row["won"], place),
        number(row["least_use"], place), row["unit"], start, until, row["published_on"], row["source"],
        row["certainty"], *words_of(row),
    )  # fmt: skip


@cache
def fees() -> Mapping[str, Fee]:
    """Give the shipped fees by name."""
    return {code: _fee(code, row) for code, row in read_toml("quintet.tariffs", "fees.toml")["fee"].items()}


def fee_of(name: str, commodity: str, unit: str, start: date, end: date) -> Fee:
    """Find a fee that holds on all days of a bill of a commodity, billed in `unit`."""
    found, place = fees()[name], "--" + name.replace("_", "-")
    if (found.commodity, found.unit) != (commodity, unit):
        raise UsageError(
            f"comes with the bill of {found.commodity} in {found.unit}.", code="wrong_fee", place=place,
            remedy="Leave it out.",
        )  # fmt: skip
    if start < found.start or end > found.until + DAY:
        raise NotFound(
            f"is not known to hold on all days from {start} to {end}.", code="no_card", place=place,
            remedy=f"It is known for {found.start} to {found.until}.",
            said={"first": start, "last": end - DAY, "spans": f"{found.start}~{found.until}"},
        )  # fmt: skip
    return found
