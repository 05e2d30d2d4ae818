"""Draws of a place's flows by period: what the books are drawn from, and what cannot be drawn, with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from quintet.access import Access
from quintet.access.cell_sums import MOST_CELLS, place_cells
from quintet.ledger.drawn_books import Above, Key
from quintet.ledger.uncertainty import check_level, numbers
from quintet.terms.errors import UsageError
from quintet.terms.length import DAY_MIN
from quintet.terms.period import FIXED_MINUTES, Resolution, Span, from_us, to_us

from .certainty import LONGEST_DAYS, Flow, Spoken, flows_of, seed_of, spoken

HOUR_MIN = 60


@dataclass(frozen=True)
class Uncertain:
    """The flows of a place, to be drawn for any stretch between the edges that were read."""

    place: str
    level: float
    flows: Sequence[Flow]

    def stretch(self, start: datetime, end: datetime) -> dict[Key, Spoken | None]:
        """Draw each flow's total in a stretch; None: nothing is owed of it then."""
        low, high = to_us(start), to_us(end)
        return {one.kind: spoken(one, low, high, self.level, seed_of(self.place, *one.kind)) for one in self.flows}


def above(found: Mapping[Key, Spoken | None]) -> dict[Key, Above | None]:
    """Give what flows are above what is known of them."""
    out: dict[Key, Above | None] = {}
    for key, one in found.items():
        if one is None:
            out[key] = None
            continue
        green = None if one.renewable is None else one.renewable.extra
        out[key] = Above(one.drawn.extra, green, one.drawn.reason)
    return out


def speaks_to(found: Mapping[Key, Spoken | None], end: datetime, commodity: str = "") -> datetime:
    """Give until when draws speak: the earliest end of those of one commodity, or of all."""
    ends = [one.end_us for key, one in found.items() if one is not None and commodity in ("", key[0])]
    return min([end, *(from_us(one).astimezone(end.tzinfo) for one in ends)])


def read_uncertain(
    access: Access, place: str, span: Span, resolution: Resolution, level: float, known_at: datetime | None
) -> Uncertain:
    """Read what a place's flows are drawn from.

    Raises UsageError for a level that is none, for periods shorter than an hour, and for more than can be read.
    """
    check_level(level)
    minutes = FIXED_MINUTES.get(resolution, DAY_MIN)
    if minutes < HOUR_MIN:
        raise UsageError(
            "intervals are given by the hour, or by longer periods.", code="too_fine", place="resolution",
            remedy="Ask for hours or days, or without intervals.",
        )  # fmt: skip
    if (span.end - span.start).days > LONGEST_DAYS:
        raise UsageError(
            f"that is more than {LONGEST_DAYS} days.", code="range_too_long", place="to", remedy="Ask for a year."
        )
    hours = minutes < DAY_MIN
    most = numbers()["most_hour_cells"] if hours else MOST_CELLS
    cells = place_cells(access, place, span, numbers()["margin_days"], known_at, hours=hours, most=most)
    return Uncertain(place, level, list(flows_of(cells)))
