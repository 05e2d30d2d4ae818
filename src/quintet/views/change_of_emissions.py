"""The change of emissions between two periods, taken apart by carrier and cause."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.ledger.carriers import carriers_data, energy_of
from quintet.ledger.city_rows import find_set
from quintet.ledger.decompose import (
    CARRIERS,
    GAPS,
    INTENSITY,
    REVISIONS,
    SUPPLY,
    UNEXPLAINED,
    CarrierState,
    PeriodState,
    emission_parts,
)
from quintet.ledger.emissions import AT_PLANT, USED
from quintet.ledger.targets import SUMS
from quintet.terms.errors import UsageError
from quintet.terms.period import local_day

from .change_parts import ZERO, Apart, Comparison, Known, activity, keep, split, weather_told
from .panel import IMPORT, SIGNS, Carrier, Filled, filled
from .targets import Counting, counting
from .targets_weather import Two

BURNT: Mapping[str, str] = {USED: "consumption", AT_PLANT: "conversion_in"}
"""By which flow each part of scope 1 is counted."""


def of_emissions(
    access: Access, known: Access, asked: Comparison, two: Two, found: Apart, tz: ZoneInfo
) -> tuple[Fraction, Fraction, Fraction]:
    """Take a sum of emissions apart; gives the first figure as known then, as known now, and the second."""
    if asked.of not in SUMS:
        raise UsageError(
            f"emissions have no sum {asked.of!r}.", code="unknown_sum", place="of",
            remedy=f"There are {', '.join(SUMS)}.",
            said={"text": asked.of, "known": list(SUMS)},
        )  # fmt: skip
    chosen = find_set(known.registry().timelines)
    early, late = (counting(known, asked.place, span, tz, chosen) for span in (asked.base, asked.other))
    first = before = sum(early.kg(asked.of).values(), ZERO)
    after = sum(late.kg(asked.of).values(), ZERO)
    found.known += [Known(*one.minutes.shares(one.kg(asked.of)), *one.missing(asked.of)) for one in (early, late)]
    if asked.then is not None:
        past = access.as_known(asked.then)
        told = counting(past, asked.place, asked.base, tz, find_set(past.registry().timelines))
        first = sum(told.kg(asked.of).values(), ZERO)
        said_then = f"known at {asked.then.isoformat()}, factor set {told.chosen.digest[:12]}; now {chosen.digest[:12]}"
        found.add(REVISIONS, before - first, said_then)
    states = _states(known, asked, two, (early, late), found, tz)
    parts = emission_parts(*states)
    _shares_told(found, states)
    if not found.evidence[GAPS]:
        found.evidence[GAPS].append("every meter that owed values was heard in both periods")
    keep(found, parts)
    _factors_told(found, asked.of, early, late)
    rate = {name: one.kg * one.gap / one.used for name, one in states[1].carriers.items()}
    split(found, known, asked, parts[INTENSITY], rate, tz)
    return first, before, after


def _states(
    known: Access, asked: Comparison, two: Two, counted: tuple[Counting, Counting], found: Apart, tz: ZoneInfo
) -> tuple[PeriodState, PeriodState]:
    """Lay out both periods by carrier; what cannot be taken apart of the change goes to gaps or unexplained."""
    sums = [one.kg(asked.of) for one in counted]
    states: tuple[dict[str, CarrierState], dict[str, CarrierState]] = ({}, {})
    by_name: dict[str, list[Carrier]] = {}
    for carrier in two.weather:
        by_name.setdefault(carrier[0], []).append(carrier)
    calorific = find_set(known.registry().timelines).calorific
    days = [local_day(span.start, tz) for span in (asked.base, asked.other)]
    for name in sorted(sums[0].keys() | sums[1].keys()):
        kg = [one.get(name, ZERO) for one in sums]
        carriers = by_name.get(name, [])
        missing = [_missing(one, asked.of, name) for one in counted]
        if any(missing):
            found.add(GAPS, kg[1] - kg[0], f"{name}: {missing[0]} and {missing[1]} rows have no amount")
            continue
        if len(carriers) != 1 or not all(kg):
            if kg[0] != kg[1]:
                found.add(UNEXPLAINED, kg[1] - kg[0], f"{name}: its use is not metered alike in both")
            continue
        contents = [energy_of(*carriers[0], day, carriers_data(), calorific)[0] for day in days]
        laid = _laid(two, carriers[0], counted, asked.of, contents)
        if laid is None:
            found.add(GAPS, kg[1] - kg[0], f"{name}: its use is not known in both periods")
            continue
        states[0][name], states[1][name] = laid
        weather_told(found, two, carriers[0])
        _gaps_told(found, two, carriers[0])
    before, after = activity(known, asked, two, found)
    return PeriodState(before, states[0]), PeriodState(after, states[1])


def _missing(one: Counting, of: str, name: str) -> int:
    """Count a carrier's rows without an amount."""
    return sum(kg is None and not elsewhere for commodity, kg, elsewhere in one.rows(of) if commodity == name)


def _laid(
    two: Two, carrier: Carrier, counted: tuple[Counting, Counting], of: str, contents: Sequence[Fraction | None]
) -> tuple[CarrierState, CarrierState] | None:
    """Lay out one carrier, each period by its own energy content.

    None where its use, or what is bought of it, is not above zero in both periods.
    """
    used = two.used(carrier)
    metered = any(one.of(carrier, IMPORT) for one in (two.base, two.other))
    signs = IMPORT if metered else SIGNS
    pair = ((two.base, two.other), (two.other, two.base))
    out: list[CarrierState] = []
    for number, (own, other) in enumerate(pair):
        use, bought = used[number], filled(own, other, carrier, signs)
        if use.heard <= 0 or use.whole <= 0:
            return None
        kg = counted[number].kg(of).get(carrier[0], ZERO)
        whole, rest = ZERO, kg
        for part, flow in BURNT.items() if of in ("total", "scope_1") else ():
            burnt = counted[number].burnt(carrier[0], part)
            whole += burnt * _all_of(filled(own, other, carrier, {flow: 1}))
            rest -= burnt
        whole += rest * _all_of(bought)
        weather = Fraction(two.weather[carrier].part or 0) if number else ZERO
        if kg <= 0 or whole <= 0 or use.whole - weather <= 0:
            return None
        out.append(CarrierState(use.whole, weather, contents[number], kg, whole / kg))
    return out[0], out[1]


def _all_of(one: Filled) -> Fraction:
    """Give all of a flow, divided by what was heard of it; 1 where nothing positive was heard."""
    return one.whole / one.heard if one.heard > 0 and one.whole > 0 else Fraction(1)


def _gaps_told(found: Apart, two: Two, carrier: Carrier) -> None:
    """Say how much of a carrier was not heard."""
    for word, one in zip(("before", "after"), two.used(carrier), strict=True):
        if one.open_days:
            found.evidence[GAPS].append(
                f"{carrier[0]} {word}: {one.open_days} meter-days not heard, filled from the other period;"
                f" {one.never_heard} meters never heard, filled by nothing"
            )


def _shares_told(found: Apart, states: tuple[PeriodState, PeriodState]) -> None:
    """Say how the energy used was shared among the carriers, as it is used, weather and all."""
    for word, one in zip(("before", "after"), states, strict=True):
        energy = {name: of.used * of.content for name, of in one.carriers.items() if of.content is not None}
        whole = sum(energy.values(), ZERO)
        told = ", ".join(f"{name} {float(part / whole):.1%}" for name, part in sorted(energy.items()))
        found.evidence[CARRIERS].append(f"{word}: {told or 'no energy is known'}")


def _factors_told(found: Apart, of: str, early: Counting, late: Counting) -> None:
    """Name the factors behind both figures."""
    scopes = (2,) if of.startswith("scope_2") else (1, 2, 3) if of == "total" else (int(of[-1]),)
    for word, one in (("before", early), ("after", late)):
        names = sorted({row.factor for row in one.found.rows if row.factor and row.scope in scopes})
        found.evidence[SUPPLY].append(f"{word}: factors {', '.join(names) or 'none'}, set {one.chosen.digest[:12]}")
