"""The alerts of a dwelling that a reader may see: those whose evidence lies wholly in a time that is his."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from quintet.registry import Registry
from quintet.registry.alerts import TOLD, folded
from quintet.store.alerts import BudgetRow, LookRow, budgets_of, looks_of, stepped_since, steps_of
from quintet.store.engine import Engine, Snapshot
from quintet.terms.alert import Alert
from quintet.terms.length import DAY_US
from quintet.terms.period import HOUR_US, Span, from_us

from .home_hours import carriers, household_since, metered
from .rights import Rights
from .scope import Grant, Want

HOUR_MIN = 60
Unsaid = tuple[str, str, str, dict[str, Any]]
"""A kind, a utility, why it cannot be judged, and the figures of that."""
UNKEPT_DAYS = 58
"""On so many days looks rested that did not keep it: eight weeks, a day before, and the day itself."""


@dataclass(frozen=True, slots=True)
class HomeAlerts:
    """What is known of a dwelling: alerts, the latest first, what cannot be judged, when it was looked at, its budget.

    `unsaid` are rows of kind, commodity, reason and figures; `noted_us` is since when they are so (None: no look yet at
    who lives there now). `lately`: of how many days that were looked at how many are the reader's, where not all are:
    what was looked at and not found is then not said to him, nor why anything could not be judged.
    `metered` are its own utilities, `carriers` what dwellings of the city are metered for; `tenancy_us`: since when the
    present household lives there, 0 where nobody stated it.
    """

    alerts: tuple[Alert, ...]
    unsaid: tuple[Unsaid, ...]
    noted_us: int | None
    lately: tuple[int, int] | None
    budget: BudgetRow | None
    metered: frozenset[str]
    carriers: tuple[str, ...]
    tenancy_us: int


def readable_alerts(
    engine: Engine, rights: Rights, registry: Registry, place: str, looked_us: int | None = None
) -> HomeAlerts:
    """Give a dwelling's alerts as a reader may see them; raises as rights do for a place that is not his.

    `looked_us`: when it was looked at last, where that is known better than from what the looks changed.
    """
    rights.place(place)
    now_us = engine.clock_us()
    with engine.snapshot() as snapshot:
        found = list(folded(steps_of(snapshot, place)).values())
        looks, budgets = looks_of(snapshot, place), budgets_of(snapshot, place)
    tenancy_us = household_since(registry, place, now_us) or 0
    windows = rights.windows(place)
    own = [one for one in reversed(found) if windows is None or any(_inside(one, window) for window in windows)]
    present = windows is None or any(low <= now_us < high for low, high in windows)
    low_us = min([low for low, high in windows or () if low <= now_us < high], default=None)
    if present:  # that it was looked at, by the hour, and why that failed tells of the hours themselves
        begins = now_us - HOUR_US if low_us is None else low_us
        rights.place(place, Span(from_us(max(begins, now_us - HOUR_US)), from_us(now_us + 1)), HOUR_MIN, what="alerts")
    if own:
        start, end = min(one.from_us for one in own), max(_end(one) for one in own)
        step_min = min(one.step_min for one in own)
        rights.place(place, Span(from_us(start), from_us(max(end, start + 1))), step_min, what="alerts")
    look = looks[0] if looks and present else None
    unsaid, noted_us, lately = _own_look(look, (low_us, tenancy_us, now_us), looked_us)
    mine = [one for one in budgets if present and one.won is not None and one.tenancy_us == tenancy_us]
    if low_us is not None:  # one that was set before the time that is looked at was set by who lived there then
        since_us = look.begins_us or 0 if look is not None and noted_us is not None else low_us
        mine = [one for one in mine if one.at_us >= min(since_us, low_us)]
    budget = mine[0] if mine else None
    own_meters = metered(registry, place)
    return HomeAlerts(tuple(own), unsaid, noted_us, lately, budget, own_meters, carriers(registry), tenancy_us)


def _own_look(
    look: LookRow | None, times: tuple[int | None, int, int], looked_us: int | None
) -> tuple[tuple[Unsaid, ...], int | None, tuple[int, int] | None]:
    """Give what of the newest look is a reader's: what cannot be judged, when it was made, `lately` (HomeAlerts).

    `times`: since when the dwelling is his to see (None: always), since when its household lives there, and now.
    """
    low_us, tenancy_us, now_us = times
    if look is None or _begun(look) < tenancy_us:
        return (), None, None
    noted_us, days = max(look.at_us, looked_us or 0), look.days or UNKEPT_DAYS
    if low_us is None:
        return tuple(_said(row, look, low_us) for row in look.body), noted_us, None
    if noted_us < low_us:
        return (), None, None
    rests_us = max(tenancy_us if look.begins_us is None else look.begins_us, noted_us - days * DAY_US)
    if rests_us < low_us:
        return (), noted_us, ((now_us - low_us) // DAY_US, days)
    return tuple(_said(row, look, low_us) for row in look.body), noted_us, None


def _begun(look: LookRow) -> int:
    """Give from when on a look was made; of one that did not keep it, as late as it may have been."""
    return look.at_us if look.begins_us is None else look.begins_us


def _said(row: list[Any], look: LookRow, low_us: int | None) -> Unsaid:
    """Give what cannot be judged, without figures that were written down before the reader's time."""
    return row[0], row[1], row[2], row[3] if low_us is None or look.at_us >= low_us else {}


def changed_since(snapshot: Snapshot, place: str, batch: int) -> list[Alert]:
    """Give the alerts of a dwelling that a later batch than `batch` changed, as they stand; telling changes none."""
    changed = stepped_since(snapshot, place, batch, but=TOLD)
    known = folded(steps_of(snapshot, place)) if changed else {}
    return [known[number] for number in changed if number in known]


def any_heard(alerts: Iterable[Alert], place: str, grant: Grant | None, reason: str) -> bool:
    """Tell whether who follows a dwelling by a grant (None: without bounds) may see one of these alerts of it.

    As `readable_alerts` has it, of that grant alone: who has another right too may be told less here, never more.
    """
    return any(grant is None or _heard(one, place, grant, reason) for one in alerts)


def _heard(alert: Alert, place: str, grant: Grant, reason: str) -> bool:
    want = Want((alert.from_us, max(_end(alert), alert.from_us + 1)), HOUR_MIN, dwelling=True)
    return not grant.role.floor and grant.refusal(place, want, reason) is None


def _end(alert: Alert) -> int:
    return alert.raised_us if alert.ended_us is None else alert.ended_us


def _inside(alert: Alert, window: tuple[int, int]) -> bool:
    """Tell whether all that an alert rests on lies in a window."""
    return window[0] <= alert.from_us and alert.raised_us < window[1]
