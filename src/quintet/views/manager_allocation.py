"""A complex' bill shared over its flats, shown: each flat's items, its weight, the odd won, vacancies and moves."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.bills import tenancies
from quintet.tariffs.exact import decimal_of, share_out
from quintet.terms.errors import QuintetError
from quintet.terms.period import day_start, from_us, local_day, to_us
from quintet.terms.premise_use import PremiseUse
from quintet.terms.unit import Unit

from .answers_manager import BuildingAllocation, BuildingFlat, FlatStretch, WorkText
from .bill_allocation import (
    Gathered,
    Shared,
    gather,
    is_provisional,
    items_of,
    known,
    method_of,
    moment_of,
    refuse_stated,
    shared,
    told,
    weights_of,
)
from .bills import month_span
from .manager_places import begun_month, names_of, natural, own_building, text_of
from .manager_words import words
from .series import share

MEASURED, ESTIMATED, MISSING = "measured", "estimated", "missing"
Households = Mapping[str, Sequence[tuple[date, date, bool]]]
"""By flat: its stretches between moves, half-open days, and whether somebody is registered in each."""


def building_allocation(
    access: Access, place: str, month: str, commodity: str, common_won: int | None, tz: ZoneInfo, now_us: int
) -> BuildingAllocation:
    """Share a complex' bill of a month and show how; what cannot be shared yet is shown with what it lacks.

    Raises as `own_building` does, NotFound (`not_agreed`) where no contract of the whole complex is stated, and
    UsageError for a common area's bill that cannot be (`bad_common`) or is not apart (`common_not_apart`).
    """
    own_building(access, place)
    _, end, _, over = begun_month(month, tz, now_us)
    of = gather(access, place, month, commodity, None, tz)
    stays = _households(access, of, month, tz)
    refuse_stated(of, common_won)
    found, why = None, [text_of("why", "under_way")]
    if over == end:
        found, why = _shared(of, common_won)
    flats = _flats(access, of, found, stays, over=over == end)
    flats.sort(key=lambda one: natural(one.place))
    return _told(access, of, found, why, flats, tz, over=over == end)


def _shared(of: Gathered, common_won: int | None) -> tuple[Shared | None, list[WorkText]]:
    """Share what was gathered; else say why that cannot be."""
    try:
        return shared(of, common_won), []
    except QuintetError as error:
        return None, [_why(error, of)]


def _told(
    access: Access, of: Gathered, found: Shared | None, why: list[WorkText], flats: list[BuildingFlat], tz: ZoneInfo,
    *, over: bool,
) -> BuildingAllocation:  # fmt: skip
    """Write the whole."""
    name, (method, how) = names_of(access, of.place), method_of(of.agreed)
    answer = None if found is None else told(of, found, tz)
    rest = sum(one.rest_won or 0 for one in flats)
    own = sum(one.own_won or 0 for one in flats)
    sums = [one.total_won for one in flats if one.total_won is not None]
    return BuildingAllocation(
        known_at=moment_of(of.known_us, tz),
        place=of.place,
        name_en=name.en,
        name_ko=name.ko,
        month=of.month,
        commodity=of.commodity,
        contract=of.agreed.contract or "",
        share=of.agreed.share,
        method_en=method[0].format(how=how[0]),
        method_ko=method[1].format(how=how[1]),
        over=over,
        provisional=found is not None and is_provisional(found),
        whole=answer is not None,
        why=why,
        total_won=None if found is None else own + found.found.common_won,
        sum_won=None if answer is None else sum(sums),
        own_won=None if answer is None else own,
        common_won=None if answer is None else answer.common_won,
        rest_won=None if answer is None else rest,
        whole_use=None if answer is None else answer.whole_use,
        common_use=None if answer is None else answer.common_use,
        unit=_unit(access, of).code,
        whole_items=items_of(None if found is None else found.whole),
        rules=[text_of("rule", code, rest=f"{abs(rest):,}") for code in words().rows["rule"]],
        flats=flats,
        cards=[] if answer is None else answer.cards,
    )


def _unit(access: Access, of: Gathered) -> Unit:
    """Give the unit in which people read the utility."""
    return access.registry().commodities[of.commodity].display_unit(of.flats[0].quantity)


def _flats(access: Access, of: Gathered, found: Shared | None, stays: Households, *, over: bool) -> list[BuildingFlat]:
    """Write each flat: what it used and, where the bill is shared, how its amount came about."""
    weights = _weights(of, found)
    own = {} if found is None else {one.name: one for one in found.found.flats}
    common = 0 if found is None else found.found.common_won
    unit = _unit(access, of)
    out: list[BuildingFlat] = []
    for one in of.flats:
        flat, weight, name = own.get(one.place), weights.get(one.place), names_of(access, one.place)
        exact = None if flat is None or weight is None else common * weight
        cut = None if exact is None else abs(exact) // 1 * (-1 if common < 0 else 1)
        parts = stays[one.place]
        out.append(
            BuildingFlat(
                place=one.place,
                name_en=name.en,
                name_ko=name.ko,
                reading=_reading(one, over=over),
                estimated_share=share(one.estimated_min / (one.arrived_min + one.estimated_min))
                if one.arrived_min + one.estimated_min
                else None,
                use=unit.to_decimal(one.value) if known(one) else None,
                unit=unit.code,
                area_m2=of.areas.get(one.place),
                items=items_of(None if flat is None else flat.own),
                own_won=None if flat is None else int(flat.own.total),
                weight=None if weight is None else decimal_of(Fraction(round(weight, 9))),
                exact_won=None if exact is None else decimal_of(Fraction(round(exact, 3))),
                rest_won=None if flat is None or cut is None else flat.common_won - int(cut),
                common_won=None if flat is None else flat.common_won,
                total_won=None if flat is None else flat.total_won,
                occupied=any(here for *_, here in parts) if stays and _kept(stays) else None,
                stretches=_stretches(parts, None if flat is None else flat.total_won),
            )
        )
    return out


def _weights(of: Gathered, found: Shared | None) -> dict[str, Fraction]:
    """Give each flat's share of what is common, as a share of 1."""
    if found is None:
        return {}
    weights = weights_of(of) or [Fraction(1)] * len(of.flats)
    whole = sum(weights, Fraction(0))
    return {one.place: weight / whole for one, weight in zip(of.flats, weights, strict=True)}


def _reading(one: PremiseUse, *, over: bool) -> str:
    """Say what a flat's use rests on; of a month under way nothing more is due than what is there."""
    if not (known(one) or (not over and one.arrived_min + one.estimated_min)):
        return MISSING
    return ESTIMATED if one.estimated_min else MEASURED


def _kept(stays: Households) -> bool:
    """Tell whether the registry knows of anybody in any of the flats: else nobody is no vacancy."""
    return any(here for parts in stays.values() for *_, here in parts)


def _households(access: Access, of: Gathered, month: str, tz: ZoneInfo) -> Households:
    """Cut each flat's month at its moves."""
    first, end, _ = month_span(month, tz)
    low, high = to_us(day_start(first, tz)), to_us(day_start(end, tz))
    registry = access.registry()
    out: dict[str, list[tuple[date, date, bool]]] = {}
    for one in of.flats:
        parts = tenancies(registry, one.place, low, high)
        out[one.place] = [
            (local_day(from_us(start), tz), local_day(from_us(stop), tz), since is not None)
            for start, stop, since in parts
        ]
    return out


def _stretches(parts: Sequence[tuple[date, date, bool]], won: int | None) -> list[FlatStretch]:
    """Share a flat's amount over its stretches by days; a month without a move has none."""
    if len(parts) < 2 or won is None:
        return []
    days = [(end - first).days for first, end, _ in parts]
    sign = -1 if won < 0 else 1
    shares = [sign * one for one in share_out(abs(won), [Fraction(one) for one in days])]
    return [
        FlatStretch(first, end - timedelta(days=1), count, here, part)
        for (first, end, here), count, part in zip(parts, days, shares, strict=True)
    ]


def _why(error: QuintetError, of: Gathered) -> WorkText:
    """Say in both languages why nothing can be shared yet."""
    most = words().limits["names_shown"]
    lacking = [one.place for one in of.flats if one.place not in of.areas]
    if error.code == "use_unknown":
        lacking = sorted({one.place for one in (*of.flats, *of.common, *of.head) if not known(one)}, key=natural)
    places = ", ".join(lacking[:most]) + (" …" if len(lacking) > most else "")
    code = error.code if error.code in words().rows["why"] else "other"
    gaps = {"count": len(lacking), "places": places, "commodity": of.commodity}
    return text_of("why", code, **gaps, said=f"{error.message} {error.remedy}".strip())
