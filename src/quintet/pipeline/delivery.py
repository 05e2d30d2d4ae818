"""What a live door hands to the pipeline, and what it is told: deliveries, receipts, outcomes, "come back later"."""

from dataclasses import dataclass

import pyarrow as pa

from quintet.terms.errors import QuintetError

from .normalise import Normalised, Normaliser


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of readings: taken, said before, refused, set aside with a reason, and not asked for."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    quarantined: int = 0
    skipped: int = 0

    def __add__(self, other: "Receipt") -> "Receipt":
        """Add up two receipts."""
        return Receipt(
            self.accepted + other.accepted,
            self.duplicate + other.duplicate,
            self.rejected + other.rejected,
            self.quarantined + other.quarantined,
            self.skipped + other.skipped,
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """One field seen in a source's payloads; `kind`: number, text, bool, null, object, array or bytes."""

    field: str
    kind: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one source sent at once, decoded.

    `readings` are READINGS (words plain or as dictionaries) with `row` the index in the payload from 1, and where the
    device states its own clock a nullable column `sent_at` (us, UTC); a column `stamped` (bool) says which rows have no
    time of their own but that of receipt. `refused` is what the door could not decode (QUARANTINE). `source` is who
    sent it, `actor` the door. `key` is the sender's name for this delivery ("" for none) and `digest` that of the body
    as received. `in_order`: the rows are messages in the order they came, so that a later one outranks an earlier one
    of the same moment (with a key it is not heeded: what has a key is one statement); a column `message` says by equal
    numbers, one behind the other, which rows are of one message, in which order never matters (null or no column: each
    row is one). `received_us` is when it was
    handed in; 0: when it is committed. `resends`: its sender keeps what is refused and sends it again. `named` are its
    rows resolved ahead of the commit, and by whom.
    """

    readings: pa.Table
    refused: pa.Table
    source: str
    actor: str
    key: str = ""
    digest: str = ""
    shapes: frozenset[Shape] = frozenset()
    in_order: bool = False
    received_us: int = 0
    resends: bool = False
    named: tuple[Normaliser, Normalised] | None = None

    @property
    def rows(self) -> int:
        """Count the rows, good and bad."""
        return self.readings.num_rows + self.refused.num_rows


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a delivery, durably.

    `batch` holds it (0: nothing was new, nothing was written); `problems` are its rows in quarantine (QUARANTINE), also
    those that stood there before; `repeated`: answered from the record of an earlier delivery with the same key.
    `corrected` of the accepted readings say another amount of a moment that was stored: they supersede an earlier one.
    """

    batch: int
    receipt: Receipt
    problems: pa.Table
    repeated: bool = False
    corrected: int = 0


class Busy(QuintetError):
    """More waits than may wait: come back after `retry_after_s` seconds; nothing of the delivery was taken."""

    status = 429

    def __init__(self, retry_after_s: int) -> None:
        """Say when to come back."""
        self.retry_after_s = retry_after_s
        super().__init__(
            "more readings wait than can be stored at the moment.",
            code="busy",
            remedy=f"Send it again after {retry_after_s} s; nothing of it was taken.",
        )


class QuarantineFull(QuintetError):
    """There is no room for originals of a source's bad rows; nothing of the delivery was taken."""

    status = 429

    def __init__(self, source: str, retry_after_s: int) -> None:
        """Say whose quarantine is full, and when to come back."""
        self.retry_after_s = retry_after_s
        super().__init__(
            "has rows that cannot be taken, and the quarantine of its source is full.",
            code="quarantine_full",
            place=source,
            remedy="See `quintet quarantine count`: mend the cause, replay or dismiss what waits there, or send the "
            f"good rows alone. Send the same again after {retry_after_s} s; nothing of it was taken.",
        )
