"""The rows of rate cards and levies: what each holds, and how one is read from parsed TOML, or refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from quintet.terms.catalogue import CERTAINTIES, check_keys
from quintet.terms.errors import BadInput
from quintet.terms.unit import units

from .exact import ROUNDINGS, first_day, number, published

UNDATED, OPEN = date(1900, 1, 1), date(2200, 1, 1)
ALL_YEAR = tuple(range(1, 13))
OPTIONS = ("pipe_mm", "area_m2", "capacity", "unit_price", "base_won")
"""Facts that a charge may need from the person who asks."""

DATED = {"name_en", "name_ko", "in_force_from", "in_force_until", "published_on", "source", "certainty"}
DATED_MAY = {"note", "source_ko", "note_ko"}
CARD = DATED | {"commodity", "contracts", "unit", "levies", "round_total", "total_to", "charge"}
CARD_MAY = {"city", "branch", "usual", "stated", "volume_by_heat"} | DATED_MAY
LEVY = DATED | {"item", "method", "rate", "round", "to"}
CHARGE = {"item", "name_en", "name_ko", "method", "round"}
CHARGE_MAY = {"months", "limits", "rates", "amounts", "rate", "option", "sizes", "to", "may_lack"}
NEEDS = {
    "step": {"limits", "amounts"},
    "blocks": {"limits", "rates"},
    "per_unit": {"rate"},
    "per_unit_stated": {"option"},
    "fixed": {"rate"},
    "fixed_stated": {"option"},
    "by_size": {"option", "sizes"},
    "by_option": {"option", "rate"},
}
"""What a charge of each method needs beside its names; nothing else of the rates may stand there."""
LEVIED = ("per_unit", "share")


@dataclass(frozen=True, slots=True, eq=False)
class Charge:
    """One item of a card in some months: how it is computed, its numbers in won, and its rounding.

    Blocks with as many values as limits have no price above the last limit: none was published.
    """

    item: str
    name_en: str
    name_ko: str
    method: str
    rounding: str
    to: int
    months: tuple[int, ...]
    limits: tuple[Fraction, ...]
    values: tuple[Fraction, ...]
    option: str
    sizes: Mapping[Fraction, Fraction]
    may_lack: bool


@dataclass(frozen=True, slots=True, eq=False)
class Levy:
    """A dated charge that many cards share: won per unit, or a share of the subtotal.

    Cards name its `group`, of which one row is in force on a day; the bill shows it as `item`.
    """

    id: str
    group: str
    item: str
    name_en: str
    name_ko: str
    method: str
    rate: Fraction
    rounding: str
    to: int
    start: date
    until: date
    published_on: str
    source: str
    certainty: str
    note: str
    source_ko: str
    note_ko: str
    known_until: date | None = None
    """Of a row that is taken as still in force beyond what is known of it: the last day that is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """One rate card: for whom, in force from `start` through `until`, and its charges and levies in order of the bill.

    `stated`: a method without rates of its own, the person who asks states them. `undated`: the source says not from
    when it holds. `known_until`: where it is taken as still in force, the last day that is known of it.
    """

    id: str
    name_en: str
    name_ko: str
    commodity: str
    contracts: tuple[str, ...]
    city: str
    branch: str
    unit: str
    start: date
    until: date
    published_on: str
    source: str
    certainty: str
    note: str
    source_ko: str
    note_ko: str
    usual: bool
    undated: bool
    stated: bool
    volume_by_heat: bool
    charges: tuple[Charge, ...]
    levies: tuple[str, ...]
    total_rounding: str
    total_to: int
    known_until: date | None = None


def _refuse(problems: Mapping[str, bool], place: str) -> None:
    """Raise for the problems that are there."""
    found = [problem for problem, there in problems.items() if there]
    if found:
        raise BadInput(f"{'; '.join(found)}.", code="bad_row", place=place)


def span_of(row: Mapping[str, Any], place: str) -> tuple[date, date]:
    """Check what every dated row has, and give the first and last day in force.

    "undated": the source says not from when; "open": until another row says else.
    """
    published(row["published_on"], place)
    start = UNDATED if row["in_force_from"] == "undated" else first_day(row["in_force_from"], place)
    until = OPEN if row["in_force_until"] == "open" else first_day(row["in_force_until"], place)
    problems = {
        "needs a source": not str(row["source"]).strip(),
        "has an unknown certainty mark": row["certainty"] not in CERTAINTIES,
        "ends before it starts": until < start,
        "lacks a name": not (row["name_en"] and row["name_ko"]),
    }
    _refuse(problems, place)
    return start, until


def words_of(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Give a dated row's note, and source and note in Korean: as they stand where nobody has put them into Korean."""
    note = row.get("note", "")
    return note, row.get("source_ko", row["source"]), row.get("note_ko", note)


def levy_of(code: str, row: Mapping[str, Any]) -> Levy:
    """Build one levy."""
    place = f"levy {code}"
    check_keys(dict(row), required=LEVY, optional={"group"} | DATED_MAY, place=place)
    start, until = span_of(row, place)
    _refuse({"has an unknown method": row["method"] not in LEVIED, **_rounding(row["round"], row["to"])}, place)
    return Levy(
        code, row.get("group", row["item"]), row["item"], row["name_en"], row["name_ko"], row["method"],
        number(row["rate"], place), row["round"], row["to"], start, until, row["published_on"], row["source"],
        row["certainty"], *words_of(row),
    )  # fmt: skip


def _rounding(how: Any, to: Any) -> dict[str, bool]:
    return {
        "has an unknown rounding": how not in ROUNDINGS,
        "rounds to no whole won": not isinstance(to, int) or isinstance(to, bool) or to < 1,
    }


def _charge(row: Mapping[str, Any], place: str) -> Charge:
    """Build one charge; what its method does not read may not stand there."""
    check_keys(dict(row), required=CHARGE, optional=CHARGE_MAY, place=place)
    method = row["method"]
    _refuse(
        {f"has an unknown method {method!r}": method not in NEEDS, **_rounding(row["round"], row.get("to", 1))}, place
    )
    rest = {"months", "to", "may_lack"}
    check_keys(dict(row), required=CHARGE | NEEDS[method], optional=rest, place=place)
    limits = tuple(number(text, place) for text in row.get("limits", ()))
    listed = row.get("rates", row.get("amounts", [row["rate"]] if "rate" in row else []))
    values = tuple(number(text, place) for text in listed)
    sizes = {number(size, place): number(won, place) for size, won in row.get("sizes", {}).items()}
    months = tuple(row.get("months", ALL_YEAR))
    counts = (len(limits), len(limits) + 1) if method == "blocks" else (len(limits) + 1,)
    problems = {
        "limits do not rise": list(limits) != sorted(set(limits)) or any(limit <= 0 for limit in limits),
        "wants a rate for each limit, and one above": "limits" in NEEDS[method] and len(values) not in counts,
        "rates fall": "limits" in NEEDS[method] and list(values) != sorted(values),
        "names months that are none": not months or not set(months) <= set(ALL_YEAR) or len(set(months)) < len(months),
        "needs an option nobody can state": "option" in row and row["option"] not in OPTIONS,
        "lists no size": method == "by_size" and not sizes,
    }
    _refuse(problems, place)
    return Charge(
        row["item"], row["name_en"], row["name_ko"], method, row["round"], row.get("to", 1), months, limits, values,
        row.get("option", ""), sizes, row.get("may_lack", False),
    )  # fmt: skip


def card_of(code: str, row: Mapping[str, Any]) -> Card:
    """Build one card: every item of it stands exactly once in each month."""
    place = f"card {code}"
    check_keys(dict(row), required=CARD, optional=CARD_MAY, place=place)
    start, until = span_of(row, place)
    charges = tuple(_charge(one, f"{place}, charge {at}") for at, one in enumerate(row["charge"], start=1))
    counted: dict[str, list[int]] = {}
    for charge in charges:
        counted.setdefault(charge.item, []).extend(charge.months)
    uneven = sorted(item for item, months in counted.items() if sorted(months) != list(ALL_YEAR))
    problems = {
        "is for no contract": not row["contracts"],
        "is in no known unit": units().get(row["unit"]) is None,
        "has no charge": not charges,
        f"does not say once for each month: {', '.join(uneven)}": bool(uneven),
        **_rounding(row["round_total"], row["total_to"]),
    }
    _refuse(problems, place)
    return Card(
        code, row["name_en"], row["name_ko"], row["commodity"], tuple(row["contracts"]), row.get("city", ""),
        row.get("branch", ""), row["unit"], start, until, row["published_on"], row["source"], row["certainty"],
        *words_of(row), row.get("usual", False), start == UNDATED, row.get("stated", False),
        row.get("volume_by_heat", False), charges, tuple(row["levies"]), row["round_total"], row["total_to"],
    )  # fmt: skip
