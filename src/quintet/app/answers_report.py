"""The operation that answers with a report's figures, and with what they rest on."""

from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

import msgspec

from quintet import __version__
from quintet.access import EVERYTHING
from quintet.store.book import batch_known_at
from quintet.terms.errors import UsageError
from quintet.terms.period import from_us, parse_moment, to_us
from quintet.views.report import Asked, place_report
from quintet.views.report_answers import Report

from .answer import Answer, Progress, Step
from .asked_time import asked_span
from .cells import rows_of
from .city import City
from .requests import ReportFigures

COLUMNS = ["commodity", "unit", "flow", "total", "known_total", "months", "months_known"]
PARTS = ("numpy", "duckdb", "pyarrow", "typst", "xlsxwriter")
"""Libraries whose version may change a digit or a page: they draw the intervals, sum the rows, set the pages."""
ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def report_figures(city: City, asked: ReportFigures, progress: Progress) -> Answer:
    """Give a report's figures of a place over whole local days, as known at a moment (default: this one).

    The document holds `figures` and `basis`; the same question gives the same bytes. Raises UsageError for a moment to
    come, a range that cuts days or is too long.
    """
    tz = city.registry().tz
    span = asked_span(asked.start, asked.end, tz)
    with city.engine.asked() as (snapshot, now):
        moment = now if asked.known_at is None else to_us(parse_moment(asked.known_at, tz))
        if moment > now:
            raise UsageError(
                f"{asked.known_at} is in the future.", code="future_known_at", place="--known-at",
                remedy="Ask as known at a moment that has passed.",
            )  # fmt: skip
        batch, newest = batch_known_at(snapshot, moment), batch_known_at(snapshot, now)
    progress(Step("figures"))
    over = span.end_us <= min(moment, city.engine.clock_us())
    question = Asked(asked.place, span, from_us(moment), asked.level, now=over and batch == newest)
    access = city.access(EVERYTHING)
    found = place_report(access, question, tz)
    if question.now and city.engine.last_batch != newest:
        # something was committed meanwhile: only what was known at the moment counts
        found = place_report(access, replace(question, now=False), tz)
    return Answer(
        COLUMNS, rows_of(COLUMNS, [msgspec.structs.asdict(one) for one in found.figures.totals]),
        document_of(found, batch), numbers=COLUMNS[3:],
        title=f"{asked.place}, known at {found.figures.known_at.isoformat()}",
    )  # fmt: skip


def document_of(found: Report, batch: int) -> bytes:
    """Encode a report in one way only: keys of tables in order, decimals with every digit."""
    basis = {**msgspec.structs.asdict(found.basis), "batch": batch, "software": software()}
    return ENCODER.encode({"figures": found.figures, "basis": basis})


def software() -> dict[str, str]:
    """Name the versions that a figure may depend on."""
    out = {"quintet": __version__}
    for name in PARTS:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            out[name] = "unknown"
    return out
