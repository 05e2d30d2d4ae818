"""Facilities as a person reads them: hours of service, the energy they took, and what a good hour costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from quintet.access import Access
from quintet.access.facilities import METERS, FacilitySums, facility_flows
from quintet.ledger.city_rows import facility_classes_of, find_set
from quintet.ledger.conversions import kwh_of
from quintet.ledger.dated import said_if_known
from quintet.ledger.facilities import FacilityClass, Read, service
from quintet.terms.period import Resolution, Span, local_day
from quintet.terms.unit import units

from .asked import MOST_BALANCES, check_size
from .series import share

Rate = Callable[[str, str, date], tuple[Fraction | None, str]]
"""Gives kWh in a sub-unit of a commodity's quantity on a day, and by what; None where nobody can say."""


@dataclass(frozen=True, slots=True)
class Facilities:
    """Facilities by period, and what they rest on."""

    rows: list[dict[str, Any]]
    known_at: datetime
    rule_set: str


def facilities_of(
    access: Access, span: Span, resolution: Resolution, *, place: str, known_at: datetime | None
) -> Facilities:
    """Give what the facilities of a place did. Raises NotFound for a place that is none, UsageError for too much."""
    check_size(span, resolution, MOST_BALANCES)
    registry = access.as_known(known_at).registry()
    found = facility_flows(access, place, span, resolution, known_at)
    classes = facility_classes_of(registry.timelines)
    calorific = find_set(registry.timelines).calorific
    rate = partial(kwh_of, commodities=registry.commodities, calorific=calorific)
    rows = [
        _row(one, number, start, classes, registry.tz, rate)
        for one in found.facilities
        for number, start in enumerate(found.edges[:-1])
        if one.stands[one.period == number].any()
    ]
    return Facilities(rows, found.known_at, found.rule_set)


def _row(
    one: FacilitySums,
    number: int,
    start: datetime,
    classes: Mapping[str, FacilityClass],
    tz: ZoneInfo,
    rate: Rate,
) -> dict[str, Any]:
    """Judge one facility over one period."""
    klass = classes.get(one.facility.klass)
    row: dict[str, Any] = {
        "start": start.astimezone(tz), "facility": one.facility.id, "name": one.facility.name,
        "class": one.facility.klass, "place": one.facility.place,
    }  # fmt: skip
    if klass is None:
        known = ", ".join(classes)
        return {**row, **dict.fromkeys(FIGURES), "reason": f"there is no class {one.facility.klass}; there are {known}"}
    return {**row, **_figures(one, number, klass, tz, rate)}


FIGURES = (
    "hours", "judged_hours", "comfortable_hours", "clean_hours", "comfortable_clean_hours", "person_hours",
    "energy_kwh", "kwh_per_comfortable_clean_hour", "coverage", "estimated_share",
)  # fmt: skip


def _figures(one: FacilitySums, number: int, klass: FacilityClass, tz: ZoneInfo, rate: Rate) -> Mapping[str, Any]:
    at = np.flatnonzero(one.period == number)
    known, guessed = np.ones(len(at), np.bool_), np.zeros(len(at), np.bool_)
    energy = [Fraction(0)] * len(at)
    reads: dict[str, list[Read]] = {}
    unsaid = ""
    heard = one.sums.whole[:, at] & ~one.sums.unknown[:, at]
    estimated = one.sums.estimated_min[:, at] > 0
    for channel, (name, row) in enumerate(one.channels):
        value = one.sums.value[channel, at]
        if name != METERS:
            stood = heard[channel] & (one.sums.standing_us[channel, at] > 0)
            reads.setdefault(name, []).append(Read(name, value, stood, estimated[channel]))
            continue
        known &= heard[channel]
        guessed |= estimated[channel]
        rates = [rate(row.commodity, row.quantity, local_day(one.starts[step], tz)) for step in at.tolist()]
        unsaid = unsaid or next((words for content, words in rates if content is None), "")
        energy = [
            total + (content or 0) * int(part)
            for total, (content, _), part in zip(energy, rates, value.tolist(), strict=True)
        ]
    unsaid = unsaid or _strange(one, klass)
    flat = [read for own in reads.values() for read in own]
    found = service(klass, energy, known & (not unsaid), flat, np.diff(one.edges_us)[at], one.stands[at], guessed)
    return {
        "hours": said_if_known(found.hours),
        "judged_hours": said_if_known(found.judged),
        "comfortable_hours": said_if_known(found.comfortable),
        "clean_hours": said_if_known(found.clean),
        "comfortable_clean_hours": said_if_known(found.good),
        "person_hours": said_if_known(found.person_hours),
        "energy_kwh": said_if_known(found.energy_kwh),
        "kwh_per_comfortable_clean_hour": said_if_known(found.kwh_per_good_hour),
        "coverage": float(found.judged / found.hours) if found.hours else None,
        "estimated_share": share(float(found.estimated / found.judged)) if found.judged else None,
        "reason": unsaid or found.reason,
    }


def _strange(one: FacilitySums, klass: FacilityClass) -> str:
    """Say which reading is metered in another quantity than its class limits; empty where none is."""
    limits = {limit.reading: units()[limit.unit].quantity for limit in klass.limits}
    for name, row in one.channels:
        if row.quantity != limits.get(name, row.quantity):
            return f"{name} is metered as {row.quantity}, not as {limits[name]}"
    return ""
