"""A dwelling as the welfare alert sees it: hours of water and hot water, and which of them are beyond doubt."""

from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.access.home_hours import Calendar, HoursSeen
from quintet.alerts.seen import HomeSeen
from quintet.terms.commodity import commodities
from quintet.terms.period import HOUR_US, to_us

SEOUL = ZoneInfo("Asia/Seoul")
FIRST_US = to_us(datetime(2026, 1, 4, 15, tzinfo=UTC))
"""2026-01-05 00:00 in Seoul, whose clock never changes."""
Amounts = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]


def calendar(hours: int) -> Calendar:
    """Lay out hours from midnight on."""
    day = np.arange(hours, dtype=np.int64) // 24
    edges = FIRST_US + np.arange(day[-1] + 2, dtype=np.int64) * 24 * HOUR_US
    return Calendar(
        FIRST_US + np.arange(hours, dtype=np.int64) * HOUR_US, day, np.arange(hours, dtype=np.int64) % 24, edges
    )


def hours_seen(commodity: str, value: Amounts, sound: Marks | None = None) -> HoursSeen:
    """Give a utility's hours; all beyond doubt unless `sound` says otherwise."""
    fine = np.ones(len(value), np.bool_) if sound is None else sound
    unit = commodities()[commodity].display_unit("volume")
    step = int(np.gcd.reduce(value[fine])) if fine.any() else 0
    return HoursSeen(commodity, unit, np.where(fine, value, 0), np.ones(len(value), np.bool_), fine, fine, step)


def home(water: HoursSeen | None, *others: HoursSeen, later_h: int = 0, **more: Any) -> HomeSeen:
    """Give a watched dwelling `later_h` hours after its last hour."""
    hours = len(water.value) if water is not None else len(others[0].value)
    services = {one.commodity: one for one in (*((water,) if water is not None else ()), *others)}
    given: dict[str, Any] = {"watched": True, "since_us": None} | more
    return HomeSeen(
        place="c1/101/1", now_us=FIRST_US + (hours + later_h) * HOUR_US, tz=SEOUL, calendar=calendar(hours),
        services=services, coarse=frozenset(), carriers=("water", "hot_water"), outdoor_c=np.zeros(0), month={},
        rates=cast("Any", None), **given,
    )  # fmt: skip


def lived(days: int, idle_h: int, seed: int = 0) -> Amounts:
    """Give litres (in sub-units) of `days` days in which somebody lives, then `idle_h` hours of nothing."""
    rng = np.random.default_rng(seed)
    used = rng.integers(0, 4, days * 24) * 10_000 + np.where(np.arange(days * 24) % 24 == 23, 5_000, 0)
    return np.concatenate([used, np.zeros(idle_h)]).astype(np.int64)
