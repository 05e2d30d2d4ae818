"""How fine an answer is, and until when steps are told that are whole."""

from datetime import datetime
from zoneinfo import ZoneInfo

from quintet.terms.length import DAY_MIN
from quintet.terms.period import MINUTE_US, Span, day_start, local_day

from .roles import MONTH_MIN

COARSE_MIN = 10**9
"""The step of what holds no readings: only place and time are looked at."""


def told_until(finest_min: int, at: datetime, tz: ZoneInfo) -> datetime | None:
    """Give until when a reader is told who reads by whole steps only: the last that was over at a moment; None: all.

    What grows with every reading would tell each reading by the difference of two answers.
    """
    if not finest_min:
        return None
    day = local_day(at, tz)
    return day_start(day if finest_min <= DAY_MIN else day.replace(day=1), tz)


def minutes_in(span: Span) -> int:
    """Give the length of a span in minutes: what is told of it as a whole is no finer."""
    return (span.end_us - span.start_us) // MINUTE_US


def whole_steps(span: Span, step_min: int, tz: ZoneInfo) -> int:
    """Give how fine an answer in such steps is: one that begins or ends within a step tells of less than the step.

    A month asked from its 5th to its 6th is a day. What holds no readings stays what it is.
    """
    if step_min < DAY_MIN or step_min == COARSE_MIN:
        return step_min
    first, after = local_day(span.start, tz), local_day(span.end, tz)
    if day_start(first, tz) != span.start or day_start(after, tz) != span.end:
        return 0
    return step_min if step_min < MONTH_MIN or (first.day, after.day) == (1, 1) else DAY_MIN
