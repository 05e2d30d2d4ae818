"""The questions of a home's alerts: what stands, in words, what is looked for and why it cannot be judged."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.alerts import HomeAlerts
from quintet.terms.alert import ACT, ENDED, STANDING, WELFARE, Alert, alert_kinds
from quintet.terms.alert_words import check_said, said, unit_of
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.length import DAY_US
from quintet.terms.period import from_us

from .answers_alerts import AlertCheck, AlertFigure, AlertTold, HomeAlert, HomeAlertList, HomeBudget

WATCHED, ALERT, CANNOT = "watched", "alert", "cannot"
NOT_LOOKED, MOVED_IN = "not_looked", "moved_in"
ORDER = {STANDING: 0, "dismissed": 1, ENDED: 2}
MONTHLY = "tier"
"""What is looked for in every utility that a home is metered for."""


class HomeAlertQuestions:
    """Answers for one reader, with the rights of his access; raises as `Questions` does."""

    def __init__(self, access: Access) -> None:
        """Ask through one reader's access."""
        self._access = access

    def alerts(
        self, place: str, language: str, now_us: int, looked_us: int | None, *, ended_days: int, may_dismiss: bool
    ) -> HomeAlertList:
        """List a home's alerts, those that ended in the last days too, and what is looked for."""
        found = self._home(place, looked_us)
        tz = self._access.registry().tz
        shown = [
            one for one in found.alerts
            if one.state != ENDED or (one.ended_us or 0) >= now_us - ended_days * DAY_US
        ]  # fmt: skip
        rows = sorted(shown, key=lambda one: (ORDER[one.state], one.severity != ACT, one.row.order, -one.raised_us))
        return HomeAlertList(
            place,
            tz.key,
            language,
            _at(now_us, tz),
            None if found.noted_us is None else _at(found.noted_us, tz),
            sum(one.state == STANDING for one in rows),
            [alert_answer(one, language, tz, may_dismiss=may_dismiss) for one in rows],
            _checks(found, language),
        )

    def one(self, alert: Alert, language: str, *, may_dismiss: bool) -> HomeAlert:
        """Give one alert as it stands; raises NotFound for one that the reader may not see."""
        self.find(alert.place, alert.id)
        return alert_answer(alert, language, self._access.registry().tz, may_dismiss=may_dismiss)

    def find(self, place: str, number: str) -> Alert:
        """Find an alert of a home; raises NotFound for one that is none, or not of the reader's time."""
        found = next((one for one in self._home(place).alerts if one.id == number), None)
        if found is None:
            raise NotFound("there is no such alert.", code="not_here", place=number, remedy="List the alerts again.")
        return found

    def budget(self, place: str, reader: str, bounds: tuple[int, int]) -> HomeBudget:
        """Give a home's budget; `bounds` are the least and the most that one may be."""
        found = self._home(place)
        tz, row = self._access.registry().tz, found.budget
        standing = next((one.id for one in found.alerts if one.kind == "budget" and one.state == STANDING), None)
        if row is None:
            return HomeBudget(place, None, None, False, *bounds, None)
        return HomeBudget(place, row.won, _at(row.at_us, tz), row.by == reader, *bounds, standing)

    def tenancy_us(self, place: str) -> int:
        """Give since when the present household of a home lives there, 0 where nobody stated it."""
        return self._home(place).tenancy_us

    def _home(self, place: str, looked_us: int | None = None) -> HomeAlerts:
        self._access.may_read(place)
        registry = self._access.registry()
        if len(registry.descendants(place)) > 1:
            raise UsageError("holds other places.", code="not_a_home", place=place, remedy="Name one dwelling.")
        return self._access.alerts(place, looked_us)


def alert_answer(one: Alert, language: str, tz: ZoneInfo, *, may_dismiss: bool) -> HomeAlert:
    """Give an alert in words and figures."""
    words = said(one, language, tz)
    figures = [
        AlertFigure(name, value, unit_of(name, one.figures, language))
        for name, value in one.figures.items()
        if name != "flow_unit"
    ]
    return HomeAlert(
        one.id,
        one.kind,
        one.commodity,
        one.severity,
        one.state,
        _at(one.since_us, tz),
        _at(one.raised_us, tz),
        None if one.ended_us is None else _at(one.ended_us, tz),
        one.end_reason,
        words.title,
        words.text,
        words.won,
        words.action,
        one.won,
        one.won_per,
        one.won_reason,
        round(one.confidence, 6),
        figures,
        may_dismiss and one.state != ENDED,
        None if one.dismissed_us is None else _at(one.dismissed_us, tz),
        [AlertTold(_at(told.at_us, tz), told.by, told.outcome) for told in one.told],
    )


def _checks(found: HomeAlerts, language: str) -> list[AlertCheck]:
    """Say of all that is looked for how it is: an alert stands, it was looked at, or why it cannot be judged."""
    unsaid = {(kind, commodity): (why, figures) for kind, commodity, why, figures in found.unsaid}
    alerts = {(one.kind, one.commodity) for one in found.alerts if one.state != ENDED}
    out: list[AlertCheck] = []
    for kind, commodity in _looked_for(found, {*unsaid, *alerts}):
        if (kind, commodity) in alerts:
            state, why, figures = ALERT, "", {}
        elif (kind, commodity) in unsaid:
            state, (why, figures) = CANNOT, unsaid[kind, commodity]
        elif found.noted_us is None:
            state, why, figures = CANNOT, NOT_LOOKED, {}
        elif found.lately is not None:  # "nothing there" would be said of somebody else's time, and of what is hidden
            state, why, figures = CANNOT, MOVED_IN, {"days": found.lately[0], "needed_days": found.lately[1]}
        else:
            state, why, figures = WATCHED, "", {}
        text = check_said(kind, commodity, why or state, figures, language)
        out.append(AlertCheck(kind, commodity, state, why, text))
    return out


def _looked_for(found: HomeAlerts, known: set[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Name the kinds and utilities that are looked for at a home, in the order of the table of kinds."""
    out: list[tuple[str, str]] = []
    for kind, row in alert_kinds().items():
        mine = [commodity for one, commodity in sorted(known) if one == kind]
        if kind == WELFARE:
            own = mine
        elif row.commodities:
            own = [code for code in row.commodities if code in found.carriers or code in mine]
        elif kind == MONTHLY:
            own = sorted({*found.metered, *mine})
        else:
            own = [""]
        out += [(kind, commodity) for commodity in own]
    return out


def _at(moment_us: int, tz: ZoneInfo) -> datetime:
    return from_us(moment_us).astimezone(tz)
