"""All that a household's meters said in its time, as it can be taken along: CSV, a sheet, or channel by channel."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, dropwhile, islice

import xlsxwriter

from quintet.terms.errors import UsageError
from quintet.terms.length import DAY_MIN
from quintet.terms.period import FIXED_MINUTES, day_start, from_us, local_day

from .answers import Interval, Meter
from .asked import moment_of
from .identity import Home, Reader
from .questions import LONGEST_PAGE, Questions
from .series import own_resolution
from .spreadsheet import as_text

NAMES = 3
"""So many columns of HEADER hold names that somebody gave."""
HEADER = ("place", "channel", "commodity", "start", "value", "unit", "quality", "coverage", "estimated_share")
FORMS = {
    "csv": ("text/csv; charset=utf-8", "csv"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    "greenbutton": ("application/atom+xml", "xml"),
}
"""The forms: media type and the end of the file's name."""
A_YEAR = timedelta(days=366)
AT_ONCE = timedelta(days=93)
"""So long a piece of one channel is read at a time."""
MOST_ROWS = 1_000_000
"""Rows of one sheet: a sheet holds 1,048,576."""
Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OwnChannel:
    """One meter's intervals over [start, end): `length_min` each (1440: a local day), also unknown ones."""

    meter: Meter
    length_min: int
    start: datetime
    end: datetime
    rows: Iterator[Interval]


@dataclass(frozen=True, slots=True)
class OwnFeed:
    """A dwelling's channels, and since when it is the reader's (None: always): the same feed is named by both."""

    place: str
    since: datetime | None
    channels: Sequence[OwnChannel]


def channels_of(questions: Questions, place: str, first: datetime, last: datetime) -> list[OwnChannel]:
    """Give what each of a dwelling's meters said over [first, last), by meter; the first row of each is asked for now.

    Raises NotFound and Forbidden as the questions do, before anything is written.
    """
    return [_channel(questions, one, first, last) for one in questions.meters(place=place, limit=LONGEST_PAGE).meters]


def _channel(questions: Questions, meter: Meter, first: datetime, last: datetime) -> OwnChannel:
    step = own_resolution(meter.cadence_min)
    found = _pieces(questions, meter.channel, step.value, first, last)
    begun = chain(list(islice(found, 1)), found)  # what is refused is refused now, not in the middle of an answer
    return OwnChannel(meter, FIXED_MINUTES.get(step, DAY_MIN), first, last, begun)


def _pieces(questions: Questions, channel: str, step: str, first: datetime, last: datetime) -> Iterator[Interval]:
    at = first
    while at < last:
        end = min(at + AT_ONCE, last)
        yield from questions.intervals(channel, at.isoformat(), end.isoformat(), step).rows
        at = end


class OwnData:
    """What one reader may take along: his own dwellings, in his own time."""

    def __init__(self, reader: Reader, now_us: int) -> None:
        """Ask with this reader's rights."""
        self._reader = reader
        self._now = from_us(now_us)

    def rows(self, place: str | None, start: str | None, end: str | None) -> Iterator[Cells]:
        """Give every interval of a dwelling's meters, by meter and time.

        Default: the last year of his time there, of each meter from its first known interval on.
        Raises NotFound for a place that is none of his, Forbidden for a span outside of his time. What is refused is
        refused before the first row.
        """
        home = self._home(place)
        first, last = self._span(home, start, end)
        return _cells(home.place, channels_of(self._reader.questions, home.place, first, last), whole=bool(start))

    def feed(self, place: str | None, start: str | None, end: str | None) -> OwnFeed:
        """Give the same by channel. Raises as `rows` does."""
        home = self._home(place)
        first, last = self._span(home, start, end)
        return OwnFeed(home.place, home.since, channels_of(self._reader.questions, home.place, first, last))

    def _home(self, place: str | None) -> Home:
        homes = [one for one in self._reader.homes if place in (None, one.place)]
        if len(homes) == 1 or (homes and place is not None):
            return homes[-1]
        if place is None and homes:
            raise UsageError("there are several.", code="which_home", place="place", remedy="Name one of /api/v1/me.")
        raise self._reader.identity.scope.not_yours(place or "")

    def _span(self, home: Home, start: str | None, end: str | None) -> tuple[datetime, datetime]:
        tz = self._reader.questions.tz
        last = moment_of(end, tz, "to") if end else min(home.until or self._now, self._now)
        a_year = day_start(local_day(last - A_YEAR, tz), tz)
        first = moment_of(start, tz, "from") if start else max(home.since or a_year, a_year)
        if last <= first:
            raise UsageError("the range is empty.", code="empty_range", place="to", remedy="Give a later moment.")
        if last - first > 10 * A_YEAR:
            raise UsageError(
                "that is more than ten years.", code="range_too_long", place="from", remedy="Ask for less."
            )
        return first, last


def _cells(place: str, channels: Sequence[OwnChannel], *, whole: bool) -> Iterator[Cells]:
    """Give the rows; unless `whole`, what is unknown before a meter's first known interval is left out."""
    for one in channels:
        for row in one.rows if whole else dropwhile(lambda row: row.value is None, one.rows):
            told = (row.value, row.unit, row.quality, row.coverage, row.estimated_share)
            said = ["" if cell is None else str(cell) for cell in told]
            yield place, one.meter.channel, one.meter.commodity, row.start.isoformat(), *said


def as_csv(rows: Iterator[Cells]) -> Iterator[bytes]:
    """Write rows as CSV (RFC 4180), some thousand at a time; values are exact decimals."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for number, row in enumerate(rows, 1):
        writer.writerow([*map(as_text, row[:NAMES]), *row[NAMES:]])
        if number % 5_000 == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def as_xlsx(rows: Iterator[Cells]) -> bytes:
    """Write rows as one sheet; times and names are text, amounts numbers. Raises UsageError for too many rows."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("readings")
    sheet.write_row(0, 0, HEADER)
    for number, row in enumerate(rows, 1):
        if number > MOST_ROWS:
            raise UsageError(f"that is more than {MOST_ROWS:,} rows.", code="range_too_long", remedy="Ask for less.")
        for column, cell in enumerate(row):
            if HEADER[column] in ("value", "coverage", "estimated_share") and cell:
                sheet.write_number(number, column, float(cell))
            else:
                sheet.write_string(number, column, cell)
    book.close()
    return out.getvalue()
