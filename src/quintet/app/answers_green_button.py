"""The operation that writes a dwelling's readings as a Green Button feed, for an operator with a reason."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from quintet.access import EVERYTHING
from quintet.terms.errors import CityError, UsageError
from quintet.views import Questions
from quintet.views.answers import Interval
from quintet.views.own_data import OwnChannel, OwnFeed, channels_of

from .answer import Answer, Progress, Step, document_of
from .asked_time import asked_span
from .cells import rows_of
from .city import City
from .green_button import told, written
from .requests import GreenButton

COLUMNS = ["file", "bytes", "readings", "channels", "left_out"]


def green_button(city: City, asked: GreenButton, progress: Progress) -> Answer:
    """Write the feed of a dwelling over a span.

    Raises UsageError without a reason, for a file that is there, or where no reading is known.
    """
    if not asked.reason.strip():
        raise UsageError("a reason is missing.", code="no_reason", place="--reason", remedy="Say why it is exported.")
    target = Path(asked.out)
    if target.exists():
        raise UsageError("exists already.", code="target_exists", place=asked.out, remedy="Name a file that does not.")
    tz = city.registry().tz
    span = asked_span(asked.start, asked.end, tz)
    questions = Questions(city.access(replace(EVERYTHING, reason=asked.reason.strip())), now=city.now)
    channels = channels_of(questions, asked.place, span.start, span.end)
    known = told(channels)
    if not known or questions.places(parent=asked.place, limit=1).places:
        raise UsageError(
            "is no dwelling with meters that Green Button has codes for.", code="nothing_to_export", place=asked.place,
            remedy="Name a dwelling of `quintet registry list`.",
        )  # fmt: skip
    progress(Step("readings"))
    count = Counter[str]()
    feed = OwnFeed(asked.place, None, [replace(one, rows=_counted(one, count)) for one in known])
    size = _save(target, written(city, feed))
    readings = count.total()
    if not readings:
        target.unlink(missing_ok=True)
        raise UsageError(
            "has no reading in that time.",
            code="no_readings",
            place=asked.place,
            remedy="Name another --from and --to.",
        )
    row = {
        "file": asked.out, "bytes": size, "readings": readings, "channels": len(count),
        "left_out": len(channels) - len(known),
    }  # fmt: skip
    return Answer(COLUMNS, rows_of(COLUMNS, [row]), document_of(row), numbers=COLUMNS[1:])


def _counted(one: OwnChannel, count: Counter[str]) -> Iterator[Interval]:
    """Give a channel's intervals, counting those of which something is known."""
    for row in one.rows:
        if row.value is not None and row.quality is not None:
            count[one.meter.channel] += 1
        yield row


def _save(target: Path, pieces: Iterable[bytes]) -> int:
    """Write a file that others may not read, and give its size; a part of one is not left behind."""
    try:
        target.touch(0o600, exist_ok=False)
        with ExitStack() as undo:
            undo.callback(target.unlink, missing_ok=True)
            with target.open("wb") as file:
                file.writelines(pieces)
            undo.pop_all()
        return target.stat().st_size
    except OSError as error:
        raise CityError(
            f"cannot be written: {error.strerror}.", code="export_failed", place=str(target),
            remedy="Choose another file with --out.",
        ) from error  # fmt: skip
