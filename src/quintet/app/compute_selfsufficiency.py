"""`quintet selfsufficiency compute`: every definition that typed series and totals allow, and what the others need."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from quintet.ledger.definitions import definitions, totals
from quintet.ledger.given import Answered, Given, answer_given, unit_of
from quintet.ledger.selfsufficiency import SelfSufficiency
from quintet.ledger.totals import Share, final_energy, in_primary, zeb_primary
from quintet.terms.errors import UsageError
from quintet.terms.unit import Unit, units

from .answer import Answer, document_of
from .cells import rows_of
from .compute_emissions import read_amount
from .try_input import NUMBER, decimal_of, numbers_of

COLUMNS = ["id", "value", "numerator", "denominator", "unit", "derived", "needs"]
Interval = Literal["15min", "30min", "hour", "day", "month", "year"]
MINUTES: dict[Interval, int] = {"15min": 15, "30min": 30, "hour": 60, "day": 1440, "month": 43_200, "year": 525_600}
"""Lengths of an interval; of a month and a year nothing but their order counts."""
TOE = "toe"


@dataclass(frozen=True, slots=True)
class AskedSeries:
    """The options of the command, as typed; None where one was not given."""

    load: str | None
    own: str | None
    own_renewable: str | None
    imported: str | None
    exported: str | None
    self_consumed: str | None
    charged: str | None
    discharged: str | None
    grid_share: str | None
    demand: str | None
    produced: str | None
    produced_use: str | None
    demand_primary: str | None
    produced_primary: str | None
    final_renewable: str | None
    final_use: str | None
    unit: str
    interval: Interval


def compute_selfsufficiency(asked: AskedSeries) -> Answer:
    """Give every definition that the input allows; raises UsageError or BadInput with place and remedy."""
    unit = unit_of(asked.unit)
    given = _given(asked)
    primary, final = _primary(asked, unit), _final(asked)
    if not given.series() and primary is None and final is None:
        raise UsageError(
            "nothing was stated.", code="nothing_stated", place="--load",
            remedy="Say --load 2,2 --own 1,3, for instance; --help lists what else may be stated.",
        )  # fmt: skip
    found = answer_given(given) if given.series() else Answered({}, dict.fromkeys(definitions(), "--load"), (), None)
    needs = dict(found.needs)
    if primary is None:
        needs["zeb_primary"] = "--demand and --produced (or --demand-primary and --produced-primary)"
    if final is None:
        needs["final_energy"] = "--final-renewable and --final-use"
    rows = [_series_row(found.answers.get(code), code, needs.get(code)) for code in definitions()]
    rows += [_total_row("zeb_primary", primary, unit.code, needs.get("zeb_primary"))]
    rows += [_total_row("final_energy", final, TOE, needs.get("final_energy"))]
    return _answer(asked, found, rows, primary)


def _answer(asked: AskedSeries, found: Answered, rows: list[dict[str, Any]], primary: Share | None) -> Answer:
    """Write each definition's value under its name, and all that is behind it under `definitions`."""
    document = {
        "interval": asked.interval,
        "unit": asked.unit,
        **{row["id"]: row["value"] for row in rows},
        "zeb_grade": primary.grade if primary else None,
        "needs": {row["id"]: row["needs"] for row in rows if row["needs"]},
        "assumed": list(found.assumed),
        "closure_error": None if found.closure is None else decimal_of(found.closure),
        "definitions": {row["id"]: {key: row[key] for key in row if key != "id"} for row in rows},
    }
    numbers, notes = ["value", "numerator", "denominator"], list(found.assumed)
    if found.closure:
        left = f"{decimal_of(found.closure):f} {asked.unit}"
        notes.append(f"closure error {left}: own generation and import give more than load and export take")
    return Answer(COLUMNS, rows_of(COLUMNS, rows), document_of(document), numbers=numbers, notes=notes)


def _series_row(one: SelfSufficiency | None, code: str, need: str | None) -> dict[str, Any]:
    """Write one definition over series."""
    row = definitions()[code]
    return {
        "id": code,
        "value": None if one is None or one.value is None else decimal_of(one.value),
        "exact": None if one is None or one.value is None else str(one.value),
        "numerator": one and one.numerator,
        "denominator": one and one.denominator,
        "unit": one and one.unit,
        "derived": list(one.derived) if one else [],
        "needs": need or (one and one.reason),
        **_words(row.name_en, row.name_ko, row.explanation_en, row.explanation_ko, row.source, row.certainty),
    }


def _total_row(code: str, share: Share | None, unit: str, need: str | None) -> dict[str, Any]:
    """Write one definition over totals."""
    row = totals()[code]
    known = share is not None and share.value is not None
    return {
        "id": code,
        "value": decimal_of(share.value) if share and share.value is not None else None,
        "exact": str(share.value) if share and known else None,
        "numerator": decimal_of(share.numerator) if share else None,
        "denominator": decimal_of(share.denominator) if share else None,
        "unit": unit if share else None,
        "derived": [],
        "needs": need or (None if known else "the sum to divide by is not above zero"),
        **_words(row.name_en, row.name_ko, row.explanation_en, row.explanation_ko, row.source, row.certainty),
    }


def _words(
    name_en: str, name_ko: str, explanation_en: str, explanation_ko: str, source: str, certainty: str
) -> dict[str, str]:
    """Give what a definition says of itself."""
    return {
        "name_en": name_en, "name_ko": name_ko, "explanation_en": explanation_en, "explanation_ko": explanation_ko,
        "source": source, "certainty": certainty,
    }  # fmt: skip


def _series(text: str | None, option: str) -> list[Fraction] | None:
    """Read a series; an empty place is missing, and what is missing is refused: it is not zero."""
    if text is None:
        return None
    out: list[Fraction] = []
    for place, value in enumerate(numbers_of(text, option, strict_end=True), start=1):
        if value is None:
            raise UsageError(
                "is missing, and missing is not zero.", code="missing_value", place=f"{option}, place {place}",
                remedy="Leave the interval out of every series, or give its value.",
            )  # fmt: skip
        out.append(Fraction(value))
    return out


def _given(asked: AskedSeries) -> Given:
    """Read the series."""
    own, exported = _series(asked.own, "--own"), _series(asked.exported, "--export")
    kept = _series(asked.self_consumed, "--self-consumed")
    load = _series(asked.load, "--load")
    if kept is not None:
        exported = _left(own, kept, load, exported, storage=bool(asked.charged or asked.discharged))
    return Given(
        asked.unit,
        MINUTES[asked.interval],
        asked.interval,
        load=load,
        own=own,
        own_renewable=_series(asked.own_renewable, "--own-renewable"),
        imported=_series(asked.imported, "--import"),
        exported=exported,
        charged=_series(asked.charged, "--storage-charge"),
        discharged=_series(asked.discharged, "--storage-discharge"),
        grid_share=_shares(asked.grid_share, [one for one in (load, own, exported) if one is not None]),
    )


def _shares(text: str | None, others: list[list[Fraction]]) -> list[Fraction] | None:
    """Read the grid's shares, also as per cent; a single one holds in every interval."""
    if text is None:
        return None
    parts = [part.strip() for part in text.strip("[] ").split(",")]
    plain = ",".join(part.removesuffix("%").strip() for part in parts)
    per_cent = {part.endswith("%") for part in parts}
    if len(per_cent) > 1:
        raise UsageError("mixes per cent and shares.", code="bad_series", place="--grid-share")
    out = _series(text if per_cent == {False} else plain, "--grid-share") or []
    if per_cent == {True}:
        out = [value / 100 for value in out]
    return out * len(others[0]) if len(out) == 1 and others else out


def _left(
    own: list[Fraction] | None,
    kept: list[Fraction],
    load: list[Fraction] | None,
    exported: list[Fraction] | None,
    *,
    storage: bool,
) -> list[Fraction]:
    """Give the export that own use leaves of own generation; refuses what contradicts the other series."""
    place = "--self-consumed"
    if own is None or storage:
        raise UsageError(
            "goes with --own and without storage.", code="bad_series", place=place, remedy="Say --export instead."
        )
    if len(kept) != len(own) or (load is not None and len(load) != len(kept)):
        raise UsageError("differs from --own or --load in length.", code="different_lengths", place=place)
    for i, (made, used) in enumerate(zip(own, kept, strict=True)):
        if not 0 <= used <= made or (load is not None and used > load[i]):
            raise UsageError(
                "is below zero, or larger than --own or --load.", code="contradiction", place=f"{place}, place {i + 1}"
            )
    out = [made - used for made, used in zip(own, kept, strict=True)]
    if exported is not None and exported != out:
        raise UsageError("is not --own less --export.", code="contradiction", place=place, remedy="Say one of the two.")
    return out


def _by_carrier(text: str, option: str, unit: Unit) -> dict[str, Fraction]:
    """Read `electricity=100,fuel=50 GJ` as energies in one unit."""
    out: dict[str, Fraction] = {}
    for part in text.split(","):
        name, equals, amount = (word.strip() for word in part.partition("="))
        if not equals or not name or name in out:
            raise UsageError(
                f"{part.strip()!r} is no energy of a carrier, or its carrier was there before.", code="bad_totals",
                place=option, remedy="Write electricity=100,fuel=50.",
            )  # fmt: skip
        out[name] = _energy(amount, f"{option}, {name}", unit)
    return out


def _energy(text: str, option: str, unit: Unit) -> Fraction:
    """Read an energy, in a unit of its own or else in that of the command, as a number of `unit`."""
    bare = NUMBER.fullmatch(text.strip()) is not None
    number, name = read_amount(f"{text} {unit.code}" if bare else text, option)
    own = units().get(name)
    if own is None or own.rate or own.quantity != unit.quantity:
        raise UsageError(f"{name} is no unit of energy.", code="wrong_unit", place=option, remedy="Use kWh, GJ or toe.")
    return number * own.ratio / unit.ratio


def _primary(asked: AskedSeries, unit: Unit) -> Share | None:
    """Compute the primary-energy ratio where both of its totals are stated."""
    demand, produced = asked.demand, asked.produced
    if (demand and asked.demand_primary) or (produced and asked.produced_primary):
        raise UsageError(
            "is stated twice: by carrier and as primary energy.", code="contradiction",
            place="--demand-primary" if asked.demand_primary else "--produced-primary", remedy="Say one of the two.",
        )  # fmt: skip
    needed = _weighed(demand, asked.demand_primary, "--demand", unit)
    made = _weighed(produced, asked.produced_primary, "--produced", unit)
    if needed is None or made is None:
        return None
    if asked.produced_use is None:
        return zeb_primary(needed, made)
    if produced is None:
        raise UsageError(
            "goes with --produced: --produced-primary is net of it.", code="contradiction", place="--produced-use"
        )
    return zeb_primary(needed, in_primary(_net(produced, asked.produced_use, unit), "--produced"))


def _net(produced: str, spent: str, unit: Unit) -> dict[str, Fraction]:
    """Take the energy that it took to make it off what is produced, carrier by carrier; it counts by their factors.

    With one carrier produced all of it is taken off that one, whatever it was: a heat pump's electricity off its heat.
    """
    place = "--produced-use"
    made, taken = _by_carrier(produced, "--produced", unit), _by_carrier(spent, place, unit)
    in_primary(taken, place)
    for carrier, amount in taken.items():
        off = carrier if carrier in made or len(made) > 1 else next(iter(made))
        if off not in made:
            raise UsageError(
                f"{carrier} is not produced: which of {', '.join(made)} was made with it?", code="ambiguous_use",
                place=place, remedy="Name the carrier that was made with it.",
            )  # fmt: skip
        if amount > made[off]:
            raise UsageError("is larger than what is produced.", code="contradiction", place=place)
        made[off] -= amount
    return made


def _weighed(by_carrier: str | None, as_primary: str | None, option: str, unit: Unit) -> Fraction | None:
    """Give a total as primary energy."""
    if as_primary is not None:
        return _energy(as_primary, f"{option}-primary", unit)
    return None if by_carrier is None else in_primary(_by_carrier(by_carrier, option, unit), option)


def _final(asked: AskedSeries) -> Share | None:
    """Compute the final-energy ratio where both of its totals are stated."""
    if asked.final_renewable is None or asked.final_use is None:
        return None
    made, used = (
        sum((_energy(part, option, units()[TOE]) for part in text.split(",")), Fraction(0))
        for text, option in ((asked.final_renewable, "--final-renewable"), (asked.final_use, "--final-use"))
    )
    return final_energy(made, used)
