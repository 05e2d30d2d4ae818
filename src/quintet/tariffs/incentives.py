"""What is paid for using less: energy cashback, carbon points, demand response; dated rows, exact amounts in and out.

Every answer says its baseline, what is saved so far, what that pays, and what one percent more would pay. A month of
which no year before is known has no baseline: nothing is said then, and no zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput, NotFound, UsageError

from .card_rows import DATED_MAY, span_of, words_of
from .exact import ZERO, added, number

NAMED = {"name_en", "name_ko", "in_force_from", "in_force_until", "published_on", "source", "certainty"}
CASHBACK = NAMED | {"commodity", "unit", "years", "least_years", "most_share", "steps"}
POINTS = NAMED | {"years", "least_years", "won_per_point", "steps"}
RESPONSE = NAMED | {"commodity", "unit", "days", "cut", "least_share", "won", "per"}
PERCENT = Fraction(1, 100)
FILE = "incentives.toml"


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """One incentive's names, days and source; `steps` are (share from which, amount), rising, by commodity.

    `kind`: cashback (won for each unit saved), points (points for the period), response (won for a success).
    `most_share`: more than this share of the baseline is not paid for.
    """

    id: str
    kind: str
    name_en: str
    name_ko: str
    steps: Mapping[str, tuple[tuple[Fraction, Fraction], ...]]
    years: int
    least_years: int
    most_share: Fraction | None
    won_per_point: Fraction
    days: int
    cut: int
    start: date
    until: date
    published_on: str
    source: str
    certainty: str
    note: str
    source_ko: str
    note_ko: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a use stands: baseline, what is saved and its share (below 0 where more is used), and what that pays.

    `step` is the share from which the present step holds (None: below the first). `paid` counts won for each unit
    saved, points, or won for a success; `won` is all of it. `one_more_won` is what one more percent of the baseline
    saved would add, and `next_step` the share at which more is paid (None: there is none), `next_left` units before it.
    """

    program: Program
    commodity: str
    baseline: Fraction
    use: Fraction
    saved: Fraction
    share: Fraction
    step: Fraction | None
    paid: Fraction
    won: Fraction
    one_more_won: Fraction
    next_step: Fraction | None
    next_left: Fraction | None


def _steps(rows: Any, what: str, place: str) -> tuple[tuple[Fraction, Fraction], ...]:
    """Read steps; shares and amounts rise."""
    out: list[tuple[Fraction, Fraction]] = []
    for row in rows:
        check_keys(dict(row), required={"from", what}, optional=set(), place=place)
        amount = Fraction(row[what]) if isinstance(row[what], int) else number(row[what], place)
        out.append((number(row["from"], place), amount))
    if not out or any(a[0] >= b[0] or a[1] > b[1] for a, b in pairwise(out)):
        raise BadInput("steps do not rise.", code="bad_row", place=place)
    return tuple(out)


def _program(kind: str, code: str, row: Mapping[str, Any]) -> Program:
    """Build one incentive; one without date or source does not load."""
    place = f"{kind} {code}"
    check_keys(dict(row), required={"cashback": CASHBACK, "points": POINTS, "response": RESPONSE}[kind],
               optional=DATED_MAY, place=place)  # fmt: skip
    start, until = span_of(row, place)
    if kind == "cashback":
        steps = {row["commodity"]: _steps(row["steps"], "won", place)}
    elif kind == "points":
        steps = {commodity: _steps(rows, "points", place) for commodity, rows in row["steps"].items()}
    else:
        steps = {row["commodity"]: ((number(row["least_share"], place), number(row["won"], place)),)}
    return Program(
        code, kind, row["name_en"], row["name_ko"], steps, row.get("years", 0), row.get("least_years", 0),
        number(row["most_share"], place) if "most_share" in row else None,
        number(row.get("won_per_point", "1"), place), row.get("days", 0), row.get("cut", 0), start, until,
        row["published_on"], row["source"], row["certainty"], *words_of(row),
    )  # fmt: skip


@cache
def programs() -> Mapping[str, Program]:
    """Give the shipped incentives by name."""
    table = read_toml("quintet.tariffs", FILE)
    check_keys(table, required={"cashback", "points", "response"}, optional=set(), place=FILE)
    return {code: _program(kind, code, row) for kind, rows in table.items() for code, row in rows.items()}


def program_on(kind: str, commodity: str, day: date) -> Program:
    """Find the incentive of a kind that covers a commodity on a day; NotFound says what is covered."""
    of_kind = [one for one in programs().values() if one.kind == kind]
    if not of_kind:
        raise UsageError(
            f"{kind!r} is no incentive.", code="unknown_program", place="--program",
            remedy=f"Known: {', '.join(dict.fromkeys(one.kind for one in programs().values()))}.",
            said={"text": kind, "known": list(dict.fromkeys(one.kind for one in programs().values()))},
        )  # fmt: skip
    covering = [one for one in of_kind if commodity in one.steps]
    if not covering:
        covered = sorted({name for one in of_kind for name in one.steps})
        raise NotFound(
            f"{commodity} is not covered by {of_kind[0].name_en}.", code="not_covered", place="--commodity",
            remedy=f"It covers {', '.join(covered)}.", said={"known": covered},
        )  # fmt: skip
    for one in covering:
        if one.start <= day <= one.until:
            return one
    spans = "; ".join(f"{one.start} to {one.until}" for one in covering)
    raise NotFound(
        f"{covering[0].name_en} is not known for {day}: it has not been published yet, or nobody has entered it.",
        code="no_program", place=f"{kind}, {commodity}", remedy=f"Known for {spans}.",
        said={"day": day, "spans": spans},
    )  # fmt: skip


def baseline_of(program: Program, before: Sequence[Fraction | None]) -> Fraction:
    """Give the mean of what was used in the same months of the years before, the latest first; None: not known.

    Raises NotFound where too few years are known.
    """
    known = [use for use in before[: program.years] if use is not None]
    if len(known) < program.least_years or not known:
        raise NotFound(
            f"{program.name_en} wants the same months of at least {program.least_years} of the {program.years} years"
            " before, and they are not known.",
            code="no_baseline", place="--before", remedy="Give --before for each year that is known.",
        )  # fmt: skip
    return added(known) / len(known)


def response_baseline(program: Program, days: Sequence[Fraction]) -> Fraction:
    """Give demand response's baseline: the mean of the last weekdays without the highest and the lowest of them."""
    if len(days) != program.days:
        raise UsageError(
            f"{len(days)} days are given, {program.days} are wanted.", code="bad_days", place="--before",
            remedy=f"Give --before {program.days} times: the last {program.days} weekdays' use.",
            said={"given": len(days), "wanted": program.days},
        )  # fmt: skip
    kept = sorted(days)[program.cut : len(days) - program.cut]
    return added(kept) / len(kept)


def _paid(program: Program, commodity: str, baseline: Fraction, share: Fraction) -> tuple[Fraction | None, Fraction]:
    """Give the step that a saved share lies in, and what it pays: won a unit, points, or won."""
    held = [(at, amount) for at, amount in program.steps[commodity] if share >= at]
    return held[-1] if held and baseline > 0 else (None, ZERO)


def won_of(program: Program, commodity: str, baseline: Fraction, share: Fraction) -> Fraction:
    """Give the won for a saved share of the baseline; cut down to whole won."""
    _, paid = _paid(program, commodity, baseline, share)
    if program.kind == "points":
        return Fraction(int(paid * program.won_per_point // 1))
    if program.kind == "response":
        return paid
    counted = share if program.most_share is None else min(share, program.most_share)
    return Fraction(int(paid * counted * baseline // 1))


def standing(program: Program, commodity: str, baseline: Fraction, use: Fraction) -> Standing:
    """Say where a use stands against its baseline, and what one more percent saved would pay."""
    if baseline <= 0:
        raise NotFound(
            "nothing was used in the months before: there is nothing to save of.", code="no_baseline",
            place="--before", remedy="An incentive is paid against a use of before.",
        )  # fmt: skip
    saved = baseline - use
    share = saved / baseline
    step, paid = _paid(program, commodity, baseline, share)
    won = won_of(program, commodity, baseline, share)
    more = won_of(program, commodity, baseline, min(share + PERCENT, Fraction(1)))
    later = [at for at, _ in program.steps[commodity] if at > share]
    left = (later[0] - share) * baseline if later else None
    return Standing(
        program, commodity, baseline, use, saved, share, step, paid, won, more - won, later[0] if later else None, left
    )


def year_before(day: date, years: int) -> date:
    """Give the same day some years before; 29 February becomes 28."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def half_year(day: date) -> tuple[date, date]:
    """Give the half-year that holds a day: its first day, and the first day of the next."""
    first = date(day.year, 1 if day.month < 7 else 7, 1)
    return first, (first + timedelta(days=190)).replace(day=1)
