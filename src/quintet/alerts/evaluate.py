"""Looks at dwellings: reads them, asks every condition, and gives what each came to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from quintet.access import Access
from quintet.terms.alert import Alert

from .conditions import look
from .found import Fine, Found, Outcome, Unsaid
from .reading import homes_seen
from .seen import Forecast


@dataclass(frozen=True, slots=True)
class Looked:
    """What looking at one dwelling came to; `tenancy_us`: since when its household lives there, 0 where not known.

    It rests on nothing before `begins_us` (0: all that is known), and on `days` at most.
    """

    place: str
    at_us: int
    tenancy_us: int
    outcomes: tuple[Outcome, ...]
    begins_us: int = 0
    days: int = 0

    @property
    def found(self) -> list[Alert]:
        """What holds, as alerts that have no number yet."""
        return [
            Alert("", self.place, one.kind, one.commodity, one.since_us, one.from_us, self.tenancy_us, self.at_us,
                  one.figures, one.won, one.won_per, one.won_reason, one.confidence)
            for one in self.outcomes
            if isinstance(one, Found)
        ]  # fmt: skip

    @property
    def fine(self) -> list[tuple[str, str]]:
        """The kinds and utilities of which nothing holds: what stood ends."""
        ending = (
            one
            for one in self.outcomes
            if (isinstance(one, Fine) and not one.near) or (isinstance(one, Unsaid) and one.ends)
        )
        return [(one.kind, one.commodity) for one in ending]

    @property
    def unsaid(self) -> list[tuple[str, str, str, Mapping[str, object]]]:
        """What cannot be judged, and why."""
        return [
            (one.kind, one.commodity, one.why, dict(one.figures)) for one in self.outcomes if isinstance(one, Unsaid)
        ]


def looked_at(
    access: Access,
    places: Sequence[str],
    now_us: int,
    budgets: Mapping[str, int],
    watched: Mapping[str, int],
    *,
    alike: bool = False,
    forecast: Forecast | None = None,
    rights: Mapping[str, int],
) -> Iterator[Looked]:
    """Look at dwellings, in the order of `places`; the rest as of `homes_seen`.

    The same readings give the same outcomes, however often it is asked.
    """
    for home in homes_seen(access, places, now_us, budgets, watched, alike=alike, forecast=forecast, rights=rights):
        yield Looked(home.place, now_us, home.stay_us, tuple(look(home)), home.begins_us, home.calendar.days)
