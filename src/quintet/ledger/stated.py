"""What a city states of its supply: whose factor counts from which day on, contracts, hourly factors.

Every row carries `published_on` and `source`; one without does not load.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from quintet.terms.catalogue import CERTAINTIES, check_keys
from quintet.terms.errors import BadInput
from quintet.terms.unit import units

from .dated import latest_day, number

SUPPLY_KEYS = {"commodity", "factor", "valid_from", "published_on", "source"}
CONTRACT_KEYS = {"id", "commodity", "kind", "amount", "from", "to", "factor", "published_on", "source"}
SERIES_KEYS = {"id", "commodity", "unit", "start", "co2e_kg", "published_on", "source", "certainty"}
CONTRACT_KINDS = ("ppa", "green_tariff", "certificate")
"""Kinds of contracts by which somebody may claim where electricity or heat is from (GHG Protocol, Scope 2 Guidance)."""
AMOUNT = re.compile(r"(\d+(?:\.\d+)?) (\S+)")
HOUR = timedelta(hours=1)
WHOLE_CITY = "city"
"""The place of a contract that names none."""


@dataclass(frozen=True, slots=True)
class Supply:
    """From a day on, what a city buys of a commodity is counted by a factor."""

    commodity: str
    since: date
    factor: str


@dataclass(frozen=True, slots=True)
class Contract:
    """An amount of a commodity (sub-units) over [start, end) that is claimed under a contract, with its factor.

    It belongs to a place, and counts there and above, not below.
    """

    id: str
    commodity: str
    kind: str
    sub_units: Fraction
    quantity: str
    start: date
    end: date
    factor: str
    published_on: str
    source: str
    place: str = WHOLE_CITY


@dataclass(frozen=True, slots=True)
class HourFactors:
    """Factors of a commodity hour by hour from `start` on: kg CO2e for one sub-unit of `quantity`."""

    id: str
    commodity: str
    quantity: str
    start: datetime
    kg: tuple[Fraction, ...]
    published_on: str
    source: str
    certainty: str

    def at(self, moment: datetime) -> Fraction | None:
        """Give the factor of the hour that begins at a moment; None where the series has none."""
        hours, rest = divmod(moment - self.start, HOUR)
        return self.kg[hours] if not rest and 0 <= hours < len(self.kg) else None


def day_of(value: Any, place: str) -> date:
    """Read a day, 2022-03-29."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"{value!r} is no day.", code="bad_row", place=place, remedy="Write it as 2022-03-29."
        ) from error


def sourced(row: Mapping[str, Any], place: str) -> None:
    """Refuse a row without a date of publication or a source."""
    latest_day(row["published_on"], place)
    if not str(row["source"]).strip():
        raise BadInput("needs a source.", code="bad_row", place=place)


def parse_supplies(rows: Iterable[Mapping[str, Any]]) -> list[Supply]:
    """Build the supplies, the earliest first."""
    out: list[Supply] = []
    for row in rows:
        place = f"supply {row.get('commodity', '?')}"
        check_keys(dict(row), required=SUPPLY_KEYS, optional={"note"}, place=place)
        sourced(row, place)
        out.append(Supply(row["commodity"], day_of(row["valid_from"], place), row["factor"]))
    return sorted(out, key=lambda one: (one.commodity, one.since))


def parse_contracts(rows: Iterable[Mapping[str, Any]]) -> list[Contract]:
    """Build the contracts, in order of id; amounts are written "1200 MWh"."""
    out: list[Contract] = []
    for row in rows:
        place = f"contract {row.get('id', '?')}"
        check_keys(dict(row), required=CONTRACT_KEYS, optional={"note", "place"}, place=place)
        sourced(row, place)
        match = AMOUNT.fullmatch(str(row["amount"]))
        unit = units().get(match[2]) if match else None
        start, end = day_of(row["from"], place), day_of(row["to"], place)
        if match is None or unit is None or unit.rate or start >= end or row["kind"] not in CONTRACT_KINDS:
            raise BadInput(
                "wants an amount with its unit, a day `from` before its day `to`, and a known kind.",
                code="bad_row",
                place=place,
                remedy=f'amount = "1200 MWh"; kinds are {", ".join(CONTRACT_KINDS)}.',
            )
        amount = Fraction(Decimal(match[1])) * unit.ratio
        out.append(
            Contract(
                row["id"], row["commodity"], row["kind"], amount, unit.quantity, start, end, row["factor"],
                row["published_on"], row["source"], row.get("place", WHOLE_CITY),
            )
        )  # fmt: skip
    return sorted(out, key=lambda one: one.id)


def parse_series(rows: Iterable[Mapping[str, Any]]) -> list[HourFactors]:
    """Build hourly factors, the latest published last; `co2e_kg` are kg for one `unit`, one text an hour."""
    out: list[HourFactors] = []
    for row in rows:
        place = f"hourly factors {row.get('id', '?')}"
        check_keys(dict(row), required=SERIES_KEYS, optional={"note"}, place=place)
        sourced(row, place)
        unit = units().get(row["unit"])
        try:
            start = datetime.fromisoformat(row["start"])
        except (TypeError, ValueError):
            start = None
        whole = start is not None and start.tzinfo is not None and (start.minute, start.second) == (0, 0)
        if unit is None or unit.rate or start is None or not whole or row["certainty"] not in CERTAINTIES:
            raise BadInput(
                "wants a unit, a whole hour as start with its offset, and a certainty mark.", code="bad_row",
                place=place,
                remedy='start = "2023-01-01T00:00:00+09:00".',
            )  # fmt: skip
        kg = tuple(number(text, place) / unit.ratio for text in row["co2e_kg"])
        out.append(
            HourFactors(
                row["id"], row["commodity"], unit.quantity, start.astimezone(UTC), kg, row["published_on"],
                row["source"], row["certainty"],
            )
        )  # fmt: skip
    return sorted(out, key=lambda one: (latest_day(one.published_on), one.id))
