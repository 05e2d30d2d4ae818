"""A dwelling's day: its meters, each by its own interval, with what every value is worth."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.terms.period import FIXED_MINUTES, Resolution, Span
from quintet.terms.unit import units

from .answers import DwellingDay, Interval, Meter, Utility
from .catalogue import Catalogue
from .days import Heard
from .series import channel_rows, own_resolution, share, total_of


def dwelling_day(
    access: Access, catalogue: Catalogue, place: str, heard: Heard | None, now: datetime, tz: ZoneInfo
) -> DwellingDay:
    """Give the meters that stand in a place and their day; without one (the city has no readings yet) the meters alone.

    What no meter of the city has reported yet is not missing: nothing is expected after `heard.until`.
    """
    access.may_read(place)
    here = catalogue.place(place)
    known, of = catalogue.registry.commodities, access.utilities(place)
    meters = [
        meter
        for meter in catalogue.meters_in(place)
        if known[meter.commodity].balanced and (of is None or meter.commodity in of)
    ]
    span = None if heard is None else own_part(access, place, heard.span)
    utilities = [_utility(access, catalogue, meter, span, heard, tz) for meter in meters]
    return DwellingDay(
        place,
        here.name_en,
        here.name_ko,
        here.floor_area_m2,
        now.astimezone(tz),
        None if heard is None else heard.day,
        None if span is None else span.start.astimezone(tz),
        None if span is None else span.end.astimezone(tz),
        max((end for one in utilities if (end := _heard_until(one)) is not None), default=None),
        utilities,
    )


def own_part(access: Access, place: str, span: Span) -> Span:
    """Give the part of a day that is the reader's; a day of which nothing is raises Forbidden."""
    part = access.clip(place, span)
    if part is None:
        access.may_read(place, span)
    return part or span


def _utility(
    access: Access, catalogue: Catalogue, meter: Meter, span: Span | None, heard: Heard | None, tz: ZoneInfo
) -> Utility:
    commodity = catalogue.registry.commodities[meter.commodity]
    resolution = own_resolution(meter.cadence_min)
    rows: list[Interval] = []
    shares: tuple[float | None, float | None] = (None, None)
    if heard is not None and span is not None:
        unit = units()[meter.display_unit]
        read = channel_rows(access, meter.channel, unit, span, resolution, None, tz)
        rows = [_not_due(row) if row.start >= heard.until else row for row in read]
        shares = _shares(rows)
    return Utility(
        meter.channel,
        meter.commodity,
        commodity.name_en,
        commodity.name_ko,
        meter.flow,
        meter.display_unit,
        resolution.value,
        total_of(rows),
        *shares,
        rows,
    )


def _not_due(row: Interval) -> Interval:
    """Give a period that is not over, or that no meter of the city has reported yet: nothing can be said of it."""
    return Interval(row.start, None, row.unit, None, None, None)


def _shares(rows: Sequence[Interval]) -> tuple[float | None, float | None]:
    """Give coverage and estimated share of a day from those of its periods, which are equally long."""
    expected = [row.coverage for row in rows if row.coverage is not None]
    known = [row.estimated_share for row in rows if row.estimated_share is not None]
    return (
        share(sum(expected) / len(expected)) if expected else None,
        share(sum(known) / len(known)) if known else None,
    )


def _heard_until(one: Utility) -> datetime | None:
    """Give the end of the last period in which a meter was heard."""
    minutes = FIXED_MINUTES.get(Resolution(one.resolution), 1440)
    starts = [row.start for row in one.rows if row.coverage or (row.coverage is None and row.value is not None)]
    return starts[-1] + timedelta(minutes=minutes) if starts else None
