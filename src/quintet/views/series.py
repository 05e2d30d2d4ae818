"""One channel over time, as a person reads it; long series thinned so that peaks stay peaks and gaps stay gaps."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.terms.period import FIXED_MINUTES, Resolution, Span
from quintet.terms.quality import qualities_by_id
from quintet.terms.unit import Unit, units

from .answers import Interval, Intervals, Meter
from .asked import MOST_INTERVALS, check_size

KEPT = 3
"""Rows that thinning keeps of one stretch: the smallest, the largest, and a missing one."""
SHARE_PLACES = 6


def share(value: float | None) -> float | None:
    """Give a share as it is shown: to the millionth."""
    return None if value is None else round(value, SHARE_PLACES)


def channel_rows(
    access: Access,
    channel: str,
    unit: Unit,
    span: Span,
    resolution: Resolution,
    known_at: datetime | None,
    tz: ZoneInfo,
) -> list[Interval]:
    """Give one channel's periods in a span: exact decimals in its display unit, null where nothing is known."""
    series = access.series(channel, span, resolution, known_at)
    words = {code: quality.code for code, quality in qualities_by_id().items()}
    columns = (series[name].to_pylist() for name in ("start", "value", "quality", "coverage", "estimated_share"))
    return [
        Interval(
            start.astimezone(tz),
            None if value is None else unit.to_decimal(int(value)),
            unit.code,
            None if quality is None else words[quality],
            share(coverage),
            share(estimated),
        )
        for start, value, quality, coverage, estimated in zip(*columns, strict=True)
    ]


def channel_series(
    access: Access,
    meter: Meter,
    span: Span,
    resolution: Resolution,
    *,
    known_at: datetime | None,
    now: datetime,
    tz: ZoneInfo,
    max_points: int | None,
) -> Intervals:
    """Give one channel's series; more than `max_points` periods are thinned. Raises UsageError for too many periods."""
    check_size(span, resolution, MOST_INTERVALS)
    unit = units()[meter.display_unit]
    rows = channel_rows(access, meter.channel, unit, span, resolution, known_at, tz)
    fewer = rows if max_points is None else thinned(rows, max_points)
    return Intervals(
        meter.channel,
        meter.commodity,
        unit.code,
        resolution.value,
        span.start.astimezone(tz),
        span.end.astimezone(tz),
        (known_at or now).astimezone(tz),
        len(fewer) < len(rows),
        fewer,
    )


def thinned(rows: Sequence[Interval], most: int) -> list[Interval]:
    """Keep at most `most` rows (at least KEPT): of each stretch its smallest, its largest and its first missing row.

    What is kept stands unchanged and in order: no value is averaged, no peak is lost, no gap is bridged.
    """
    if len(rows) <= most:
        return list(rows)
    stretches = most // KEPT
    out: list[Interval] = []
    for number in range(stretches):
        low, high = len(rows) * number // stretches, len(rows) * (number + 1) // stretches
        known = [(value, at) for at in range(low, high) if (value := rows[at].value) is not None]
        missing = next((at for at in range(low, high) if rows[at].value is None), None)
        kept = {at for _, at in (min(known), max(known))} if known else set[int]()
        if missing is not None:
            kept.add(missing)
        out += [rows[at] for at in sorted(kept)]
    return out


@cache
def own_resolution(cadence_min: int) -> Resolution:
    """Give the finest resolution that a channel of a cadence can be asked in."""
    fitting = [step for step, minutes in FIXED_MINUTES.items() if minutes >= cadence_min]
    return min(fitting, key=FIXED_MINUTES.__getitem__, default=Resolution.DAY)


def total_of(rows: Sequence[Interval]) -> Decimal | None:
    """Sum what is known, exactly; None where nothing is."""
    known = [row.value for row in rows if row.value is not None]
    return sum(known, Decimal(0)) if known else None
