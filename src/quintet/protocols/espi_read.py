"""Green Button feeds (NAESB ESPI in Atom, XML) as readings: what is understood exactly, all else with its reason.

Two passes over the file: what its meter readings mean may stand behind them. A stretch is one entry of the feed.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pyarrow as pa

from quintet.terms.errors import BadInput
from quintet.terms.period import MICROSECONDS, grid_phase
from quintet.terms.quality import qualities
from quintet.terms.tables import MOMENT, QUARANTINE, READINGS

from .columns import METERS_NEED
from .espi_codes import codes
from .espi_feed import DAY_S, SUMMER_S, Feed, Meaning, MeterReading, read_feed, whole
from .espi_scan import Entry, RawReading, Scanned, entries
from .espi_write import LARGEST
from .faults import as_json
from .sift import CODED_READINGS

MARK = b"<"
BYTE_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
EARLIEST_S, LATEST_S = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1900, 2200))
"""No meter's reading is outside of these, and days at the calendar's end are none."""
DIGITS = 15
"""So many decimal digits every double keeps."""
METERS = pa.schema([(name, pa.int64() if name == "cadence_min" else pa.string()) for name in METERS_NEED])


@dataclass(frozen=True, slots=True)
class Told:
    """One interval that is understood: seconds since 1970, an exact amount in the unit, measured or estimated."""

    number: int
    start_s: int
    length_s: int
    amount: Decimal
    estimated: bool


@dataclass(frozen=True, slots=True)
class EspiPart:
    """One entry's readings: measured and estimated ones (CODED_READINGS), and what could not be taken (QUARANTINE)."""

    measured: pa.Table
    estimated: pa.Table
    aside: pa.Table

    @property
    def rows(self) -> int:
        """Count all of them."""
        return self.measured.num_rows + self.estimated.num_rows + self.aside.num_rows


def is_green_button(file: BinaryIO) -> bool:
    """Tell whether a file looks like XML, by its first bytes; leaves it at its start."""
    file.seek(0)
    head = file.read(64)
    file.seek(0)
    for mark in BYTE_MARKS:
        head = head.removeprefix(mark)
    return head.replace(b"\0", b"").lstrip().startswith(MARK)


def feed_meters(feed: Feed, tz: str) -> pa.Table:
    """Give the list of meters of a feed as a dataset has it (METERS_NEED), going by the city's clock."""
    rows = [
        {
            "site": one.site, "building": None, "meter": one.meter, "commodity": one.meaning.commodity,
            "unit": one.meaning.unit, "value_kind": "interval_sum", "cadence_min": one.meaning.length_s // 60,
            "tz": tz, "role": one.meaning.role.value,
        }
        for one in feed.meters.values() if one.meaning is not None
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, METERS)


def green_button_feed(file: BinaryIO, name: str) -> Feed:
    """Read what a feed holds. Raises BadInput for what is no feed or has no readings, as for broken XML."""
    feed = read_feed(file, name)
    if not feed.entries or not feed.readings:
        what = "has no Atom entries" if not feed.entries else f"has no interval readings (entries: {feed.entries})"
        raise BadInput(
            f"{what}.", code="no_readings", place=name,
            remedy="Ask the sender for a feed with usage points and interval blocks.",
        )  # fmt: skip
    return feed


def green_button_parts(file: BinaryIO, name: str, feed: Feed, tz: str = "UTC") -> Generator[EspiPart]:
    """Decode a feed's readings, an entry at a time, for meters by the clock `tz`. Close it before the file."""
    clock = ZoneInfo(tz)
    with closing(entries(file, name, Scanned(), keep=True)) as found:
        for entry in found:
            if entry.readings:
                yield _part(entry, name, feed, clock)


def told(raw: RawReading, meaning: Meaning, phase_s: int) -> Told | str:
    """Understand one reading of a grid of this phase (terms.period.grid_phase), or say the code of why it cannot be."""
    start = _start(raw.start)
    if isinstance(start, str):
        return start
    length = meaning.length_s if raw.duration is None else whole(raw.duration)
    fitting = SUMMER_S if meaning.length_s == DAY_S else (meaning.length_s,)
    if length is None or length not in fitting:
        return "other_length"
    if meaning.length_s < DAY_S and (start + phase_s) % meaning.length_s:
        return "off_grid"
    if raw.value is None:
        return "no_value"
    value = whole(raw.value)
    if value is None or abs(value) > LARGEST:
        return "bad_value"
    amount = meaning.amount(value)
    if len(str(abs(value)).rstrip("0")) > DIGITS:
        return "too_precise"
    kind = _kind(raw, meaning)
    if kind not in ("measured", "estimated"):
        return kind
    return Told(raw.number, start, length, amount, kind == "estimated")


def _start(text: str | None) -> int | str:
    if text is None:
        return "no_start"
    found = whole(text)
    return found if found is not None and EARLIEST_S <= found < LATEST_S else "bad_start"


def _kind(raw: RawReading, meaning: Meaning) -> str:
    """Give measured or estimated, or the code of why a quality cannot be taken; of several the most doubtful counts."""
    own = qualities().get(raw.own_quality or "")
    if own is not None and own.kind in ("measured", "estimated"):
        return own.kind
    said = [whole(one) for one in raw.qualities]
    if not said:
        said = [0 if meaning.default_quality is None else meaning.default_quality]
    kinds = [codes().qualities.get(-1 if one is None else one, "unknown") for one in said]
    if "unknown" in kinds:
        return "unknown_quality"
    if "refused" in kinds:
        return "refused_quality"
    return "estimated" if "estimated" in kinds else "measured"


def _part(entry: Entry, name: str, feed: Feed, clock: ZoneInfo) -> EspiPart:
    meter = feed.meter_of(entry)
    length_s = meter.meaning.length_s if meter is not None and meter.meaning is not None else DAY_S
    phase_s = grid_phase(clock, length_s * MICROSECONDS) // MICROSECONDS
    good: tuple[list[Told], list[Told]] = ([], [])
    bad: list[tuple[RawReading, str]] = []
    for raw in entry.readings:
        found = "no_reading_type" if meter is None else meter.fault
        if meter is not None and meter.meaning is not None:
            one = told(raw, meter.meaning, phase_s)
            if isinstance(one, Told):
                good[one.estimated].append(one)
                continue
            found = one
        bad.append((raw, found))
    measured, estimated = (_readings(rows, meter) for rows in good)
    return EspiPart(measured, estimated, _aside(bad, name, feed, meter))


def _readings(rows: Sequence[Told], meter: MeterReading | None) -> pa.Table:
    if not rows or meter is None or meter.meaning is None:
        return pa.Table.from_pylist([], CODED_READINGS)
    count = len(rows)

    def same(word: str) -> list[str]:
        return [word] * count

    columns = {
        "site": same(meter.site), "meter": same(meter.meter),
        "at": pa.array([one.start_s * 1_000_000 for one in rows], pa.int64()).cast(MOMENT),
        "value": [float(one.amount) for one in rows],
        "commodity": same(meter.meaning.commodity), "unit": same(meter.meaning.unit),
        "row": [one.number for one in rows],
    }  # fmt: skip
    return pa.table(columns, READINGS).cast(CODED_READINGS)


def _aside(bad: Sequence[tuple[RawReading, str]], name: str, feed: Feed, meter: MeterReading | None) -> pa.Table:
    rows = [
        {
            "source": name, "row": raw.number, "site": meter.site if meter else feed.site,
            "meter": meter.meter if meter else None, "code": code, "reason": codes().faults[code],
            "original": as_json(_original(raw)),
        }
        for raw, code in bad
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, QUARANTINE)


def _original(raw: RawReading) -> dict[str, object]:
    """Give a reading as it was written, under names that no other door reads as a reading."""
    return {
        "green_button_line": raw.line, "start": raw.start, "duration": raw.duration, "raw_value": raw.value,
        "qualities": raw.qualities,
    }  # fmt: skip
