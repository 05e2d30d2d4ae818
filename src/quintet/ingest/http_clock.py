"""The sender's clock at this very attempt: a header, so that a body can be sent again as it is."""

import pyarrow as pa
from starlette.requests import Request

from quintet.protocols.payloads.payload import SENT_AT
from quintet.protocols.words import moment_of
from quintet.terms.errors import UsageError

CLOCK = "Quintet-Sent-At"
CLOCK_HEADER = {
    "name": CLOCK,
    "in": "header",
    "required": False,
    "description": "The sender's own clock at this attempt (RFC 3339 with offset), instead of any sent_at in the body; "
    "it is no part of what an Idempotency-Key stands for.",
    "schema": {"type": "string", "format": "date-time"},
}


def sent_of(request: Request) -> int | None:
    """Give the sender's clock (us, UTC), None where it is not stated; raises UsageError for one that is no moment."""
    said = request.headers.getlist(CLOCK)
    if not said:
        return None
    moment, _ = moment_of(said[0])
    if moment is None or len(said) > 1:
        raise UsageError(
            f"{CLOCK} is no moment.",
            code="bad_clock",
            place=CLOCK,
            remedy="Send it once, with date, time and offset: 2026-11-22T10:00:00Z.",
        )
    return moment


def with_clock(readings: pa.Table, sent_us: int | None) -> pa.Table:
    """Give readings with the sender's clock in the place of what they say themselves; None leaves them as they are."""
    if sent_us is None:
        return readings
    if SENT_AT.name in readings.column_names:
        readings = readings.drop_columns([SENT_AT.name])
    clock = pa.array([sent_us], pa.int64()).cast(SENT_AT.type).take(pa.array([0] * readings.num_rows, pa.int32()))
    return readings.append_column(SENT_AT, clock)
