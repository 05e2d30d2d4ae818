"""A report's figures: every part of the ledger over one span, as known at one moment, and what they rest on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec.structs import replace as replaced

from quintet.access import Access, PlaceDays
from quintet.ledger.balance import SOURCES, USES
from quintet.terms.period import Resolution, Span, edges, local_day

from .answers import Balances
from .balances import amount, place_balances, rounded
from .certainty import certain_totals, place_days
from .conversions import conversions_of
from .gpc import place_gpc
from .inventories import Question, answered, place_inventory
from .losses import losses_of
from .report_answers import CertainMonth, FlowTotal, Report, ReportBasis, ReportFigures
from .report_basis import data_digest, day_digests, facts_of, registry_digest
from .report_missing import missing_of
from .self_sufficiencies import books_of, explanation_of, sufficiency_of

FLOWS = ("import", *SOURCES, *USES, "closure_error")
FINE = Resolution.HOUR
"""Supply and use are matched by the hour."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked: of which place and whole local days, as known at a moment.

    `now`: nothing came after that moment and the span is over, so that the store may be asked as it is.
    """

    place: str
    span: Span
    known_at: datetime
    level: float
    now: bool = False

    @property
    def known(self) -> datetime | None:
        """The moment to ask the store for; None: as it is."""
        return None if self.now else self.known_at


def place_report(access: Access, asked: Asked, tz: ZoneInfo) -> Report:
    """Give a report's figures and basis.

    Raises UsageError for a span that cuts days or is too long, NotFound for a place that is none.
    """
    place, span = asked.place, asked.span
    days, first, last = place_days(access, place, span, asked.known, tz)
    question = Question(place, span, Resolution.MONTH, known_at=asked.known)
    balances = place_balances(access, place, span, Resolution.MONTH, asked.known, tz)
    books = books_of(access, place, span, FINE, asked.known)
    sufficiency = sufficiency_of(books, span, FINE, tz)
    why = explanation_of(books, span, FINE, sufficiency.pinned, tz)
    del books
    answer = answered(access, question, tz)
    inventory, table = place_inventory(access, question, tz, answer), place_gpc(access, question, tz, answer)
    losses = losses_of(access, span, Resolution.MONTH, place=place, network="", known_at=asked.known)
    booked = conversions_of(access, span, Resolution.MONTH, place=place, known_at=asked.known)
    known = access.as_known(asked.known)
    registry = known.registry()
    city = registry.city
    whole, *months = _certain(access, days, [span, *_months(span, tz)], asked, tz)
    moment = asked.known_at.astimezone(tz)
    figures = ReportFigures(
        city.name_en, city.name_ko, city.simulated, place, span.start.astimezone(tz), span.end.astimezone(tz), moment,
        tz.key, asked.level, balances.rows, list(totals_of(balances)),
        months, whole,
        [rounded(row) for row in losses.rows(tz)], booked.rows,
        replaced(sufficiency, known_at=moment), replaced(why, known_at=moment),
        replaced(inventory, known_at=moment, beside=None), replaced(table, known_at=moment),
        facts_of(access, place, span, asked.known, tz), [],
    )  # fmt: skip
    figures = replaced(figures, missing=missing_of(figures))
    by_day = day_digests(days, first, last)
    basis = ReportBasis(
        balances.rule_set, inventory.factor_set, dict(answer.chosen.content), registry_digest(known), by_day,
        data_digest(by_day),
    )  # fmt: skip
    return Report(figures, basis)


def totals_of(balances: Balances) -> Iterator[FlowTotal]:
    """Sum each carrier's flows over the months; a month that is not known leaves the total unknown."""
    carriers = sorted({(row.commodity, row.unit) for row in balances.rows})
    for carrier in carriers:
        rows = [row for row in balances.rows if (row.commodity, row.unit) == carrier]
        coverages = [row.coverage for row in rows if row.coverage is not None]
        shares = [row.estimated_share for row in rows if row.estimated_share is not None]
        for flow in FLOWS:
            known = [one for one in (amount(row, flow) for row in rows) if one is not None]
            yield FlowTotal(
                *carrier, flow, sum(known, Decimal(0)) if len(known) == len(rows) else None,
                sum(known, Decimal(0)) if known else None, len(rows), len(known), min(coverages, default=None),
                max(shares, default=None),
            )  # fmt: skip


def _months(span: Span, tz: ZoneInfo) -> list[Span]:
    """Cut a span into the months of the city's clock."""
    cut = edges(span, Resolution.MONTH, tz)
    return [Span(start, end) for start, end in pairwise(cut)]


def _certain(access: Access, days: PlaceDays, spans: Sequence[Span], asked: Asked, tz: ZoneInfo) -> list[CertainMonth]:
    """Give the totals of spans with their intervals, each from no more days than that span alone is judged by."""
    stretches = [(local_day(one.start, tz), local_day(one.end, tz) - timedelta(days=1)) for one in spans]
    rows = certain_totals(access, days, stretches, asked.place, asked.level)
    return [CertainMonth(one.start.astimezone(tz), own) for one, own in zip(spans, rows, strict=True)]
