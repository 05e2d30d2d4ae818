"""Targets and measures that a city states, as dated records; and how far a year has come towards a target.

A target is one number of one year and place: emissions (kg CO2e, of a scope or in total) or self-sufficiency by a
definition (1 means 100 %). A later record replaces or withdraws an earlier one; nothing is deleted. Nothing is
forecast: a pace is what was, divided by the days in which it was, and is called linear.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from quintet.terms.catalogue import check_keys
from quintet.terms.commodity import Commodities
from quintet.terms.errors import BadInput
from quintet.terms.unit import units

from .city_rows import PREFIX, SECTOR, Statement, Timelines
from .definitions import definitions, totals
from .stated import day_of

TARGET, MEASURE = f"{PREFIX}target", f"{PREFIX}measure"
PLACED: Mapping[str, str] = {TARGET: "target", MEASURE: "measure", SECTOR: "sector"}
"""Statements that are of a place, and how they are called."""
TABLES = ("target", "measure")
"""Tables of city.toml that state these records."""
EMISSIONS, SHARE = "emissions", "self_sufficiency"
SUMS = ("total", "scope_1", "scope_2", "scope_3", "scope_2_market")
"""Sums of an inventory that may be a target."""
KG, ONE = "kg_co2e", "1"
SCALES = {EMISSIONS: {"tCO2e": Fraction(1000), "kgCO2e": Fraction(1)}, SHARE: {"%": Fraction(1, 100), "": Fraction(1)}}
"""Words after a number, by metric, and what one of them is in the stored unit."""
TARGET_KEYS = {"place", "year", "metric", "of", "value", "by", "why"}
MEASURE_KEYS = {"id", "place", "commodity", "from", "saves", "what_en", "by", "why"}
FIRST_YEAR, LAST_YEAR = 1990, 2199
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Target:
    """One target in force: `amount` in kg CO2e, or as a share of 1."""

    place: str
    year: int
    metric: str
    of: str
    amount: Fraction
    since_us: int
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Measure:
    """What somebody did to save, from a day on: `saves` sub-units of a commodity's quantity a year, as stated."""

    id: str
    place: str
    commodity: str
    quantity: str
    start: date
    saves: Fraction
    what_en: str
    what_ko: str
    by: str
    why: str


def target_key(place: str, year: int, metric: str, of: str) -> str:
    """Name a target's record."""
    return f"{place}/{year}/{metric}/{of}"


def target_statement(row: Mapping[str, Any], day: date | None = None) -> Statement:
    """Give the record of a stated target; raises BadInput for a metric, year or value that is none, or no reason."""
    place = f"target {row.get('place', '')} {row.get('year', '')}"
    check_keys(dict(row), required=TARGET_KEYS, optional=set(), place=place)
    year, metric, of = row["year"], row["metric"], row["of"]
    _checked_name(year, metric, of, place)
    amount = _amount(row["value"], metric, place)
    body = {
        "place": row["place"], "year": year, "metric": metric, "of": of, "amount": str(amount),
        "unit": KG if metric == EMISSIONS else ONE, **_who(row, place),
    }  # fmt: skip
    return Statement(TARGET, target_key(row["place"], year, metric, of), day, body)


def withdrawal(target: Target, by: str, why: str) -> Statement:
    """Give the record that withdraws a target."""
    body = {"withdrawn": True, **_who({"by": by, "why": why}, "withdrawal")}
    return Statement(TARGET, target_key(target.place, target.year, target.metric, target.of), None, body)


def _checked_name(year: Any, metric: Any, of: Any, place: str) -> None:
    """Refuse a year, metric, sum or definition that is none."""
    if not isinstance(year, int) or isinstance(year, bool) or not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadInput(f"{year!r} is no year.", code="bad_year", place=place, remedy="Write it as 2030.")
    known = {EMISSIONS: SUMS, SHARE: (*definitions(), *totals())}
    if metric not in known:
        raise BadInput(
            f"there is no metric {metric!r}.", code="unknown_metric", place=place,
            remedy=f"There are {', '.join(known)}.",
        )  # fmt: skip
    if of not in known[metric]:
        raise BadInput(
            f"{metric} has no {of!r}.", code="unknown_target", place=place, remedy=f"It has {', '.join(known[metric])}."
        )


def _who(row: Mapping[str, Any], place: str) -> dict[str, str]:
    """Give who says so and why; raises BadInput where one is missing."""
    by, why = str(row["by"]).strip(), str(row["why"]).strip()
    if not by or not why:
        raise BadInput("needs a name and a reason.", code="no_reason", place=place, remedy="Say by and why.")
    return {"by": by, "why": why}


def _amount(text: Any, metric: str, place: str) -> Fraction:
    """Read a target's value: `120000 tCO2e`, `35 %` or `0.35`."""
    scales = SCALES[metric]
    if isinstance(text, str):
        digits, _, unit = text.strip().removesuffix("%").strip().partition(" ")
        unit = "%" if text.strip().endswith("%") else unit.strip()
        try:
            found = Decimal(digits)
        except InvalidOperation:
            found = Decimal("NaN")
        if unit in scales and found.is_finite() and found >= 0:
            return Fraction(found) * scales[unit]
    remedy = 'Write "120000 tCO2e".' if metric == EMISSIONS else 'Write "35 %" or "0.35".'
    raise BadInput(f"{text!r} is no value of {metric}.", code="bad_target", place=place, remedy=remedy)


def measure_statement(row: Mapping[str, Any], commodities: Commodities) -> Statement:
    """Give the record of a stated measure; `saves` is an amount a year, as "120 MWh"."""
    place = f"measure {row.get('id', '')}"
    check_keys(dict(row), required=MEASURE_KEYS, optional={"what_ko"}, place=place)
    carrier = commodities.get(row["commodity"])
    if carrier is None:
        raise BadInput(f"there is no {row['commodity']!r}.", code="unknown_commodity", place=place)
    digits, _, name = str(row["saves"]).partition(" ")
    unit = units().get(name.strip())
    try:
        amount = Decimal(digits)
    except InvalidOperation:
        amount = Decimal("NaN")
    if unit is None or unit.rate or unit.quantity not in carrier.measures or not amount.is_finite() or amount < 0:
        raise BadInput(f"{row['saves']!r} is no amount of it.", code="bad_amount", place=place, remedy='As "120 MWh".')
    body = {
        "place": row["place"], "commodity": row["commodity"], "quantity": unit.quantity,
        "from": day_of(row["from"], place).isoformat(), "saves": str(Fraction(amount) * unit.ratio),
        "what_en": str(row["what_en"]), "what_ko": str(row.get("what_ko", row["what_en"])), **_who(row, place),
    }  # fmt: skip
    return Statement(MEASURE, str(row["id"]), None, body)


def statements(settings: Mapping[str, Any], commodities: Commodities) -> list[Statement]:
    """Give the records that `[[target]]` and `[[measure]]` of a parsed city.toml state."""
    out: list[Statement] = []
    for row in settings.get("target", []):
        stated = {key: value for key, value in row.items() if key != "valid_from"}
        since = day_of(_text(row["valid_from"]), "target") if "valid_from" in row else None
        out.append(target_statement(stated, since))
    for row in settings.get("measure", []):
        stated = {key: _text(value) for key, value in row.items()}
        out.append(measure_statement(stated, commodities))
    return out


def _text(value: Any) -> Any:
    """Write a TOML day as text."""
    return value.isoformat() if isinstance(value, date) else value


def targets(timelines: Timelines, moment_us: int) -> list[Target]:
    """Give the targets in force at a moment, by place, year and name; those withdrawn by then are not there."""
    out: list[Target] = []
    for _, timeline in sorted(timelines(TARGET).items()):
        held = [(since, body) for since, body in timeline if since <= moment_us]
        since, body = held[-1] if held else (0, None)
        if body is None or body.get("withdrawn"):
            continue
        out.append(
            Target(
                body["place"], body["year"], body["metric"], body["of"], Fraction(body["amount"]), since, body["by"],
                body["why"],
            )
        )  # fmt: skip
    return out


def measures(timelines: Timelines) -> list[Measure]:
    """Give the measures that are stated, in order of their start."""
    out: list[Measure] = []
    for name, timeline in timelines(MEASURE).items():
        body = timeline[-1][1] if timeline else None
        if body is not None:
            out.append(
                Measure(
                    name, body["place"], body["commodity"], body["quantity"], date.fromisoformat(body["from"]),
                    Fraction(body["saves"]), body["what_en"], body["what_ko"], body["by"], body["why"],
                )
            )  # fmt: skip
    return sorted(out, key=lambda one: (one.start, one.id))


def unplaced(timelines: Timelines, places: Collection[str]) -> list[str]:
    """Say which targets, measures and sectors name a place that the city does not have: nobody is ever told of them."""
    out: list[str] = []
    for kind, word in PLACED.items():
        for name, timeline in sorted(timelines(kind).items()):
            body = timeline[-1][1] if timeline else None
            if body is not None and not body.get("withdrawn") and body["place"] not in places:
                out.append(f"{word} {name} is for place {body['place']}, which does not exist.")
    return out


def refuse_unplaced(stated: Iterable[tuple[str, str, Mapping[str, Any] | None]], places: Collection[str]) -> None:
    """Refuse a target, measure or sector, as (kind, key, body), of a place that is none; raises BadInput naming it."""
    for kind, key, body in stated:
        word = PLACED.get(kind)
        if word is not None and body is not None and "place" in body and body["place"] not in places:
            near = get_close_matches(body["place"], list(places), n=3)
            raise BadInput(
                f"is for place {body['place']}, which does not exist.", code="unknown_place", place=f"{word} {key}",
                remedy=f"Did you mean {', '.join(near)}?" if near else "State the place as [[place]] first.",
            )  # fmt: skip


REACHED, AHEAD, BEHIND, MISSED, OPEN, EARLY = "reached", "ahead", "behind", "missed", "open", "no_day_yet"
VERDICTS: Mapping[str, tuple[str, str]] = {
    REACHED: ("The year is over and the target was met.", "연도가 끝났고 목표를 달성했습니다."),
    AHEAD: ("So far on the way: at or better than a linear pace.", "현재까지 선형 속도 이상으로 진행 중입니다."),
    BEHIND: ("So far behind a linear pace.", "현재까지 선형 속도에 미치지 못합니다."),
    MISSED: (
        "Missed: what is known is past what the year may have.",
        "확인된 값만으로도 목표를 벗어났습니다.",
    ),
    OPEN: (
        "Cannot be told: part of the data is missing, and missing is not saved.",
        "자료가 일부 없어 판단할 수 없습니다. 없는 값은 절감이 아닙니다.",
    ),
    EARLY: ("No whole day of the year has passed.", "해당 연도의 완전한 하루가 아직 없습니다."),
}


@dataclass(frozen=True, slots=True)
class Path:
    """A year's way to a target; None where it cannot be told. Units are the target's own, a day for paces.

    `so_far` is what is known. `pace` is by covered time: what is not heard is taken to be like what is, carrier by
    carrier; without anything heard there is none. `pace_needed` is linear over the days left; a budget that is spent
    leaves none. `verdict` never says that all is well where something is missing.
    """

    so_far: Fraction | None
    left: Fraction | None
    left_share: Fraction | None
    pace: Fraction | None
    pace_needed: Fraction | None
    verdict: str


def emission_path(
    target: Fraction, parts: Iterable[tuple[Fraction, Fraction | None]], whole: bool, gone: int, days: int
) -> Path:
    """Give the way to an emission target from each carrier's kg so far and known share of its meters' time.

    While something is missing nobody can tell what is left, unless the target is missed already.

    `whole`: nothing else is missing (rows without an amount or a factor).
    """
    if gone == 0:
        return Path(None, target, Fraction(1) if target else None, None, target / days, EARLY)
    found = list(parts)
    so_far = sum((kg for kg, _ in found), ZERO)
    left = target - so_far
    known = all(share is not None and share > 0 for _, share in found)
    pace = sum((kg / share for kg, share in found if share), ZERO) / gone if known else None
    ahead = days - gone
    whole = whole and all(share == 1 for _, share in found)
    verdict = _emission_verdict(left, so_far > target * gone / days, whole, ahead)
    if not whole and left >= 0:
        # what is missing was emitted too: what is left would be told too large
        return Path(so_far, None, None, pace, None, verdict)
    needed = left / ahead if ahead and left >= 0 else None
    return Path(so_far, left, left / target if target else None, pace, needed, verdict)


def _emission_verdict(left: Fraction, over: bool, whole: bool, ahead: int) -> str:
    """Judge: what is known may be too much already; that it is little says nothing while something is missing.

    `over`: what is known alone is more than the days gone may have, for emissions that are missing only add to it.
    """
    if left < 0:
        return MISSED
    if not whole:
        return BEHIND if over else OPEN
    if not ahead:
        return REACHED
    return BEHIND if over else AHEAD


def share_path(target: Fraction, value: Fraction | None, whole: bool, gone: int, days: int) -> Path:
    """Give the way to a self-sufficiency target from the value over the days gone.

    `left` is target - value; `pace` the value itself; `pace_needed` what the days left must have on average, if use a
    day goes on as it was (linear). A value over part of the data is no proof either way.
    """
    if gone == 0 or value is None:
        return Path(None, None, None, None, target if gone == 0 else None, EARLY if gone == 0 else OPEN)
    if not whole:
        return Path(value, None, None, value, None, OPEN)
    ahead = days - gone
    needed = (target * days - value * gone) / ahead if ahead else None
    left = target - value
    good, bad = (AHEAD, BEHIND) if ahead else (REACHED, MISSED)
    verdict = good if left <= 0 else bad
    return Path(value, left, left / target if target else None, value, needed, verdict)


def stated_saving(found: Sequence[Measure], start: date, end: date, days_a_year: int) -> Fraction:
    """Give what measures are stated to save within [start, end), sub-units: their year's amount by days."""
    total = ZERO
    for one in found:
        days = (end - max(one.start, start)).days
        total += one.saves * max(days, 0) / days_a_year
    return total
