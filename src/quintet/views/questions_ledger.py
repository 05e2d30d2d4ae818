"""The ledger's questions: self-sufficiency and greenhouse gases. Times are text, read on the city's clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.ledger.city_rows import CURRENT
from quintet.ledger.counting import COUNTED_AT
from quintet.terms.errors import UsageError
from quintet.terms.length import resolution_of
from quintet.terms.period import Resolution, Span

from .answers_decisions import BoundDefinitions, FactorSetList, PublishedFigures, StatedMeasures
from .answers_ledger import Compared, Explanation, GpcTable, Inventory, SelfSufficiencies
from .answers_targets import ChangeApart, Trajectory, WeatherChange
from .asked import FIRST_YEAR, LAST_YEAR, MOST_BALANCES, check_size, known_at_of, span_of, within
from .change_parts import Comparison
from .decisions import bound_list, factor_set_list, published_figures, stated_measures
from .gpc import place_gpc
from .inventories import Question, compare, place_inventory
from .self_sufficiencies import explain, place_selfsufficiency
from .targets import trajectory
from .targets_change import change_apart
from .targets_weather import weather_change
from .uncertain_books import uncertain_inventory, uncertain_sufficiencies

ROOT = "city"


class LedgerQuestions:
    """Answers one reader's questions to the ledger; raises as `Questions` does."""

    def __init__(self, access: Access) -> None:
        """Ask through one reader's access."""
        self._access = access

    def self_sufficiency(
        self,
        start: str,
        end: str,
        resolution: str,
        place: str = ROOT,
        known_at: str | None = None,
        uncertainty: float | None = None,
    ) -> SelfSufficiencies:
        """Give every definition's answer for a place over [start, end), matched at a resolution.

        With the interval of each at a nominal level, `uncertainty`, where that is given.
        """
        span, step, moment = self._asked(start, end, resolution, known_at)
        if uncertainty is not None:
            return uncertain_sufficiencies(self._access, place, span, step, level=uncertainty, known_at=moment)
        return place_selfsufficiency(self._access, place, span, step, moment, self._tz())

    def explain(
        self, start: str, end: str, resolution: str, place: str = ROOT, known_at: str | None = None
    ) -> Explanation:
        """Say why the definitions differ for a place, one changed assumption a step."""
        span, step, moment = self._asked(start, end, resolution, known_at)
        return explain(self._access, place, span, step, moment, self._tz())

    def emissions(
        self, start: str, end: str, resolution: str, uncertainty: float | None = None, **how: str
    ) -> Inventory:
        """Give a place's greenhouse gases; `how` is place, factor_set, gwp, count_at, known_at.

        With the interval of each number at a nominal level, `uncertainty`, where that is given.
        """
        if uncertainty is not None:
            return uncertain_inventory(self._access, self._question(start, end, resolution, **how), uncertainty)
        return place_inventory(self._access, self._question(start, end, resolution, **how), self._tz())

    def gpc(self, start: str, end: str, resolution: str, **how: str) -> GpcTable:
        """Give the same as the table of the GPC."""
        return place_gpc(self._access, self._question(start, end, resolution, **how), self._tz())

    def compare(self, name: str, factor_set: str = CURRENT) -> Compared:
        """Set a published figure beside the same one now, with the difference by cause."""
        return compare(self._access, name, self._tz(), factor_set)

    def publications(self) -> PublishedFigures:
        """List what was published."""
        return published_figures(self._access, self._tz())

    def factor_sets(self) -> FactorSetList:
        """List the factor sets."""
        return factor_set_list(self._access, self._tz())

    def bound(self) -> BoundDefinitions:
        """List the definitions to which the city is or was bound."""
        return bound_list(self._access, self._tz())

    def measures(self) -> StatedMeasures:
        """List the measures that are stated."""
        return stated_measures(self._access)

    def targets(self, year: int | None = None, place: str = ROOT, known_at: str | None = None) -> Trajectory:
        """Give a year's targets of a place (None: this year) and the way to each."""
        tz = self._tz()
        asked = None if year is None else within(year, FIRST_YEAR, LAST_YEAR, "year")
        return trajectory(self._access, place, asked, known_at_of(known_at, tz), tz)

    def targets_weather(
        self, start: str, end: str, base_from: str, base_to: str, place: str = ROOT, known_at: str | None = None
    ) -> WeatherChange:
        """Give each carrier's use in two periods, and its change with the weather of the first."""
        tz = self._tz()
        base, other = span_of(base_from, base_to, tz), span_of(start, end, tz)
        return weather_change(self._access, place, base, other, known_at_of(known_at, tz), tz)

    def targets_change(self, start: str, end: str, base_from: str, base_to: str, **how: str) -> ChangeApart:
        """Take a change apart; `how` is place, metric, of, activity, then, known_at."""
        tz = self._tz()
        then, known_at = (known_at_of(how.pop(name, None), tz) for name in ("then", "known_at"))
        base, other = span_of(base_from, base_to, tz), span_of(start, end, tz)
        place = how.pop("place", ROOT)
        return change_apart(self._access, Comparison(place, base, other, then=then, known_at=known_at, **how), tz)

    def _question(
        self,
        start: str,
        end: str,
        resolution: str,
        place: str = ROOT,
        factor_set: str = CURRENT,
        gwp: str | None = None,
        count_at: str | None = None,
        known_at: str | None = None,
    ) -> Question:
        """Read what was asked."""
        if count_at is not None and count_at not in COUNTED_AT:
            raise UsageError(
                f"energy made here is not counted at {count_at!r}.", code="bad_count_at", place="count_at",
                remedy=f"Known: {', '.join(COUNTED_AT)}.",
                said={"text": count_at, "known": list(COUNTED_AT)},
            )  # fmt: skip
        span, step, moment = self._asked(start, end, resolution, known_at)
        return Question(place, span, step, factor_set, gwp, count_at, moment)

    def _asked(
        self, start: str, end: str, resolution: str, known_at: str | None
    ) -> tuple[Span, Resolution, datetime | None]:
        """Read span, resolution and moment of knowledge; raises UsageError for too many periods."""
        tz = self._tz()
        span, step = span_of(start, end, tz), resolution_of(resolution)
        check_size(span, step, MOST_BALANCES)
        return span, step, known_at_of(known_at, tz)

    def _tz(self) -> ZoneInfo:
        return self._access.registry().tz
