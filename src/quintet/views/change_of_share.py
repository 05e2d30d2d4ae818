"""The change of self-sufficiency between two periods, taken apart by the same causes as emissions."""

from fractions import Fraction
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.ledger.decompose import (
    ACTIVITY,
    CARRIERS,
    GAPS,
    INTENSITY,
    MEASURES,
    REVISIONS,
    SUPPLY,
    UNEXPLAINED,
    WEATHER,
    RatioState,
    ratio_parts,
)
from quintet.ledger.definitions import definitions
from quintet.ledger.targets import EMISSIONS, SHARE
from quintet.terms.errors import UsageError
from quintet.terms.period import Resolution, Span

from .change_parts import ZERO, Apart, Comparison, Known, activity, keep, split, weather_told
from .panel import Filled, filled
from .self_sufficiencies import books_of, definitions_of
from .targets_weather import Two

QUOTIENT = "produced_of_used"
"""The method whose sums are plain, so that what is silent can be filled in meter by meter."""
Pair = tuple[Fraction, Fraction]


def of_share(
    access: Access, known: Access, asked: Comparison, two: Two, found: Apart, tz: ZoneInfo
) -> tuple[Fraction, Fraction, Fraction]:
    """Take self-sufficiency apart; gives the first value as known then, as known now, and the second."""
    if asked.metric != SHARE:
        raise UsageError(
            f"there is no metric {asked.metric!r}.",
            code="unknown_metric",
            remedy=f"There are {EMISSIONS}, {SHARE}.",
            said={"text": asked.metric, "known": [EMISSIONS, SHARE]},
        )
    before, after = (_ratio(known, asked, span) for span in (asked.base, asked.other))
    first = before[0] / before[1]
    found.known += [before[3], after[3]]
    if asked.then is not None:
        past = _ratio(access.as_known(asked.then), asked, asked.base)
        first = past[0] / past[1]
        found.add(REVISIONS, before[0] / before[1] - first, f"known at {asked.then.isoformat()}")
    change = after[0] / after[1] - before[0] / before[1]
    sides = None
    if min(before[2], after[2]) < 1:
        told = f"known time: {float(before[2]):.4f} before, {float(after[2]):.4f} after"
        found.evidence[GAPS].append(told)
        sides = _filled_sides(two, asked.of)
        if sides is None:
            found.add(GAPS, change, "a share over part of the data cannot be taken apart: missing is no progress")
            for part in (WEATHER, ACTIVITY, CARRIERS, SUPPLY, MEASURES, UNEXPLAINED):
                found.evidence[part].append(f"not told apart: see {GAPS}")
            return first, before[0] / before[1], after[0] / after[1]
    else:
        found.evidence[GAPS].append("all that was expected is known in both periods")
    pairs = ((before[0], before[1]), (after[0], after[1])) if sides is None else _whole_sides(sides, change, found)
    _taken_apart(known, asked, two, found, pairs, tz)
    return first, before[0] / before[1], after[0] / after[1]


def _taken_apart(
    known: Access, asked: Comparison, two: Two, found: Apart, pairs: tuple[Pair, Pair], tz: ZoneInfo
) -> None:
    """Take the change between two whole pairs (made or matched, used) apart by its causes."""
    active = activity(known, asked, two, found)
    weather = _ratio_weather(two, asked.of, pairs[1][1], found)
    early, late = (
        # a day, so that a longer period is no more activity
        RatioState(made / days, used / days, part / days, busy / days)
        for (made, used), days, part, busy in zip(
            pairs, (two.base.days, two.other.days), (ZERO, weather), active, strict=True
        )
    )
    parts = ratio_parts(early, late)
    if isinstance(parts, str):
        found.add(UNEXPLAINED, pairs[1][0] / pairs[1][1] - pairs[0][0] / pairs[0][1], parts)
        for part in (CARRIERS, SUPPLY, MEASURES):
            found.evidence[part].append(f"not told apart: see {UNEXPLAINED}")
        return
    keep(found, parts)
    found.evidence[CARRIERS].append("the definition does not part its use by carrier")
    found.evidence[SUPPLY].append("what is made here, or matched, of what is used")
    split(found, known, asked, parts[INTENSITY], {}, tz)


def _filled_sides(two: Two, of: str) -> tuple[tuple[Filled, Filled], tuple[Filled, Filled]] | None:
    """Give what was made and used in both periods, the silence of each filled in from the other.

    None for a definition that is no plain quotient of sums of one carrier, and where nothing was used.
    """
    row = definitions().get(of)
    if row is None or row.method != QUOTIENT:
        return None
    carrier = (row.commodity, row.quantity)
    sides = [
        (
            filled(own, other, carrier, dict.fromkeys(row.own, 1), renewable_only=row.renewable_only),
            filled(own, other, carrier, dict.fromkeys(row.use, 1)),
        )
        for own, other in ((two.base, two.other), (two.other, two.base))
    ]
    early, late = sides
    return (early, late) if early[1].whole > 0 and late[1].whole > 0 else None


def _whole_sides(
    sides: tuple[tuple[Filled, Filled], tuple[Filled, Filled]], change: Fraction, found: Apart
) -> tuple[Pair, Pair]:
    """Give the sides with their silence filled in; what that does to the change is the part of the gaps."""
    early, late = ((made.whole, used.whole) for made, used in sides)
    told = [
        f"{word} {when}: {one.open_days} meter-days not heard, filled from the other period;"
        f" {one.never_heard} meters never heard, filled by nothing"
        for when, pair in zip(("before", "after"), sides, strict=True)
        for word, one in zip(("made", "used"), pair, strict=True)
        if one.open_days
    ]
    found.add(GAPS, change - (late[0] / late[1] - early[0] / early[1]), *told)
    return early, late


def _ratio(known: Access, asked: Comparison, span: Span) -> tuple[Fraction, Fraction, Fraction, Known]:
    """Give numerator, denominator and known share of a definition over a span, and how that is told."""
    answers = definitions_of(books_of(known, asked.place, span, Resolution.HOUR, None), Resolution.HOUR)
    one = next((one for one in answers if one.id == asked.of), None)
    if one is None:
        raise UsageError(
            f"there is no definition {asked.of!r}.", code="unknown_definition", place="of", said={"text": asked.of}
        )
    if one.value is None or one.numerator is None or one.denominator is None:
        raise UsageError(
            f"{asked.of} has no value from {span.start.isoformat()} on: {one.reason}.", code="no_value", place="of"
        )
    known_share = Fraction(str(one.coverage or 0)) + Fraction(str(one.estimated_share or 0))
    whole = one.matched == one.intervals and known_share > 1 - Fraction(1, 10**6)
    share = Fraction(1) if whole else min(known_share, Fraction(one.matched, one.intervals))
    told = Known(one.coverage, one.estimated_share, one.intervals - one.matched)
    return Fraction(one.numerator), Fraction(one.denominator), share, told


def _ratio_weather(two: Two, of: str, used: Fraction, found: Apart) -> Fraction:
    """Give what of a definition's denominator other weather made: its carrier's share of use, where it has one."""
    row = definitions().get(of)
    carrier = None if row is None else (row.commodity, row.quantity)
    if carrier is None or carrier not in two.weather:
        found.evidence[WEATHER].append("refused: the definition goes over several carriers, or its own is not metered")
        return ZERO
    weather_told(found, two, carrier)
    part, late = two.weather[carrier].part, two.used(carrier)[1]
    return used * part / late.whole if part is not None and late.whole > 0 else ZERO
