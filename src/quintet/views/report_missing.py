"""What a report's figures leave out: unknown amounts, parts that were not heard, and answers that cannot be given."""

from collections.abc import Iterator

from .balances import amount
from .report_answers import Missing, ReportFigures

WHOLE = 1.0


def missing_of(figures: ReportFigures) -> list[Missing]:
    """List what is missing, part by part, in the order of the report."""
    return [
        *_flows(figures), *_unheard(figures), *_definitions(figures), *_emissions(figures), *_books(figures)
    ]  # fmt: skip


def _flows(figures: ReportFigures) -> Iterator[Missing]:
    """Name flows that are unknown in some months."""
    for one in figures.totals:
        if one.months_known < one.months and one.flow != "closure_error":
            yield Missing("balance", f"{one.commodity} {one.flow}", one.months - one.months_known, None, "unknown")
        elif one.flow == "closure_error" and one.months_known < one.months:
            derived = [row for row in figures.balance if (row.commodity, row.unit) == (one.commodity, one.unit)]
            named = sorted({name for row in derived if amount(row, "closure_error") is None for name in row.derived})
            reason = f"derived: {' '.join(named)}" if named else "unknown"
            yield Missing("balance", f"{one.commodity} {one.flow}", one.months - one.months_known, None, reason)


def _unheard(figures: ReportFigures) -> Iterator[Missing]:
    """Name metered flows of which a part was never heard, and those without an interval."""
    for row in figures.certainty_whole.rows:
        subject = f"{row.commodity} {row.flow}"
        if row.coverage is not None and row.coverage < WHOLE:
            yield Missing("coverage", subject, row.meters_open, row.coverage, "silent meters")
        if row.reason is not None:
            yield Missing("uncertainty", subject, 1, row.coverage, row.reason)


def _definitions(figures: ReportFigures) -> Iterator[Missing]:
    """Name definitions without an answer, and those that leave intervals out."""
    for one in figures.self_sufficiency.definitions:
        if one.value is None:
            yield Missing("self_sufficiency", one.id, one.intervals - one.matched, one.coverage, one.reason or "")
        elif one.matched < one.intervals:
            yield Missing("self_sufficiency", one.id, one.intervals - one.matched, one.coverage, "intervals left out")


def _emissions(figures: ReportFigures) -> Iterator[Missing]:
    """Name sources of emissions without a number."""
    found: dict[tuple[str, str], int] = {}
    for row in figures.emissions.rows:
        if row.kg_co2e is None:
            key = (f"scope {row.scope} {row.commodity} {row.source_id}", row.reason or row.notation or "")
            found[key] = found.get(key, 0) + 1
    for (subject, reason), periods in sorted(found.items()):
        yield Missing("emissions", subject, periods, None, reason)


def _books(figures: ReportFigures) -> Iterator[Missing]:
    """Name losses and conversions that cannot be said."""
    for part, rows, name in (("losses", figures.losses, "network"), ("conversions", figures.conversions, "plant")):
        found: dict[tuple[str, str], int] = {}
        for row in rows:
            if row["reason"] is not None:
                key = (str(row[name]), str(row["reason"]))
                found[key] = found.get(key, 0) + 1
        for (subject, reason), periods in sorted(found.items()):
            yield Missing(part, subject, periods, None, reason)
