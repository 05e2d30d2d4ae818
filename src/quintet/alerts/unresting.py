"""A flow that never stops: three days without a rest, or sooner where this dwelling's own nights make that sure.

Hours that are doubted or estimated are no evidence: neither that it flowed nor that it rested. A boiler in the cold
runs for days, so gas is compared only with past days that were as cold. Where there were too few, as when winter
begins, the run itself must say that it is no boiler: again and again it comes down to one and the same flow, smaller
than any flame of a boiler, at a home whose gas used to rest. What flows slower than the meter's step an hour shows over
some hours together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from quintet.access.home_hours import HoursSeen, Mask
from quintet.terms.alert import DAY
from quintet.terms.amount import Ints
from quintet.terms.period import HOUR_US

from .chance import MILLION, in_a_row
from .found import COARSE, GAPS, NO_LIKE_DAYS, NO_OUTDOOR, Fine, Found, Outcome, Unsaid
from .limits import limits
from .seen import (
    SHOWN,
    VOLUME,
    HomeSeen,
    looked_for,
    nights,
    shown,
    smallest_by_night,
    too_new,
    unheard,
    unseen,
)

LEAK, GAS = "water_leak", "gas_unresting"
DAY_HOURS = 24


@dataclass(frozen=True, slots=True)
class Run:
    """The hours since the last rest: from which on, how many were beyond doubt, of how many; `open`: none is known."""

    first: int
    sound: int
    hours: int
    open: bool


def run_of(seen: HoursSeen) -> Run:
    """Give the hours since the last hour that rested beyond doubt, up to the last one that is beyond doubt."""
    last = int(np.flatnonzero(seen.sound)[-1])
    rests = np.flatnonzero(seen.sound[: last + 1] & (seen.value[: last + 1] <= 0))
    heard = int(np.flatnonzero(seen.sound)[0])
    first = int(rests[-1]) + 1 if len(rests) else heard
    return Run(first, int(seen.sound[first : last + 1].sum()), last + 1 - first, not len(rests))


def water_leak(home: HomeSeen) -> list[Outcome]:
    """Look for water that never stops."""
    return _each(LEAK, home, _water)


def gas_unresting(home: HomeSeen) -> list[Outcome]:
    """Look for gas that never stops."""
    return _each(GAS, home, _gas)


def _each(kind: str, home: HomeSeen, judged: Callable[[HomeSeen, HoursSeen], Outcome]) -> list[Outcome]:
    """Judge each utility in which a kind is looked for, where its meter was heard of late."""
    quiet, out = limits("unresting")["quiet_hours"], list[Outcome]()
    for commodity in looked_for(kind, home):
        refused = unseen(kind, home, commodity) or unheard(kind, home, home.services[commodity], quiet)
        out.append(judged(home, home.services[commodity]) if refused is None else refused)
    return out


def _water(home: HomeSeen, seen: HoursSeen) -> Outcome:
    kind, commodity, bounds = LEAK, seen.commodity, limits("unresting")
    run = run_of(seen)
    night = nights(home.calendar, bounds["night_from"], bounds["night_until"])
    smallest, whole = smallest_by_night(seen, home.calendar, night, bounds["night_until"] - bounds["night_from"])
    first_day = int(home.calendar.day[run.first]) if run.first < len(home.calendar.day) else home.calendar.days
    if home.calendar.hour[min(run.first, len(home.calendar.hour) - 1)] > bounds["night_from"]:
        first_day += 1
    in_run, before = np.zeros(len(whole), np.bool_), whole.copy()
    in_run[first_day:] = whole[first_day:]
    before[max(first_day - 1, 0) :] = False
    chance = _chance(smallest, in_run, before)
    if run.hours < bounds["sooner_hours"] or run.sound < bounds["sooner_hours"]:
        if run.open and home.since_us is not None:  # no rest is known of so short a time: it may be any flow
            return too_new(kind, home, commodity, bounds["sooner_hours"] // DAY_HOURS, 0)
        return _too_coarse(kind, seen) or Fine(kind, commodity)
    if 100 * run.sound < bounds["known_percent"] * run.hours:
        return Unsaid(kind, commodity, GAPS, {"hours": run.hours, "known_hours": run.sound})
    ruled = run.sound >= bounds["rule_hours"]
    if not ruled and int(before.sum()) < bounds["past_nights"]:
        return too_new(kind, home, commodity, bounds["past_nights"], int(before.sum()))
    if not ruled and chance * MILLION > bounds["chance_millionths"]:
        return Fine(kind, commodity)
    return _found(kind, home, seen, run, chance, {"nights": int(in_run.sum()), "past_nights": int(before.sum())})


def _chance(smallest: Ints, in_run: Mask, before: Mask) -> float:
    """Give the chance that as many ordinary nights flow through at the run's smallest hour or more."""
    count = int(in_run.sum())
    if not count:
        return 1.0
    like = int((smallest[before] >= smallest[in_run].min()).sum()) if before.any() else 0
    return in_a_row(like, int(before.sum()), count)


def _too_coarse(kind: str, seen: HoursSeen) -> Unsaid | None:
    """Say that the meter's steps hide a small flow: it then shows rests although it runs."""
    step = shown(seen.unit, seen.step)
    hidden = seen.unit.quantity == VOLUME and step > limits("unresting")["visible_litres"]
    return Unsaid(kind, seen.commodity, COARSE, {"step": step}) if hidden else None


def _found(
    kind: str,
    home: HomeSeen,
    seen: HoursSeen,
    run: Run,
    chance: float,
    figures: Mapping[str, int | float | str],
    width: int = 1,
) -> Found:
    """State a flow that never stops: its size is the smallest hour of the last day, within the meter's step.

    Of the last day, for a run may begin with use that only happened to go before the leak. `width`: the amounts are of
    so many hours together.
    """
    # those that reach back before the run hold some of its rest
    inside = seen.value[run.first + width - 1 :][seen.sound[run.first + width - 1 :]]
    flow = int(inside[-DAY_HOURS:].min()) // width
    won, reason = home.added_won(seen.commodity, flow * DAY_HOURS, less=True)
    told: dict[str, int | float | str] = {
        "hours": run.hours,
        "known_hours": run.sound,
        "flow": shown(seen.unit, flow),
        "flow_day": shown(seen.unit, flow * DAY_HOURS),
        "flow_unit": SHOWN[seen.unit.quantity],
        "step": shown(seen.unit, seen.step),
        **figures,
    }
    since_us = int(home.calendar.start_us[run.first])
    return Found(kind, seen.commodity, since_us, home.heard_from_us(seen), told, won, DAY, reason, 1 - chance)


def _gas(home: HomeSeen, seen: HoursSeen) -> Outcome:
    by_hour = _gas_by(home, seen, 1)
    if not isinstance(by_hour, Fine):
        return by_hour
    slow = _gas_by(home, seen, limits("unresting")["slow_hours"])
    return slow if isinstance(slow, Found) else _too_coarse(GAS, seen) or by_hour


def _gas_by(home: HomeSeen, seen: HoursSeen, width: int) -> Outcome:
    """Look for gas that never rests for `width` hours together."""
    kind, bounds = GAS, limits("unresting")
    wide = _together(seen, width)
    if not wide.sound.any():
        return Fine(kind, seen.commodity)
    run = run_of(wide)
    if run.sound < bounds["rule_hours"]:
        if run.open and home.since_us is not None:
            return too_new(kind, home, seen.commodity, bounds["rule_hours"] // DAY_HOURS, run.sound // DAY_HOURS)
        return Fine(kind, seen.commodity)
    if 100 * run.sound < bounds["known_percent"] * run.hours:
        return Unsaid(kind, seen.commodity, GAPS, {"hours": run.hours, "known_hours": run.sound})
    rested, whole = _rested(wide, seen, home)
    first_day = int(home.calendar.day[run.first])
    whole[max(first_day - 1, 0) :] = False
    bound = _as_cold_as(home, first_day)
    cold = whole & (home.outdoor_c <= (np.nan if bound is None else bound + bounds["warmer_tenths"] / 10))
    by_cold = int(cold.sum()) >= bounds["like_days"]
    idle = _idle_percent(wide, run)
    like = cold if by_cold else whole
    restless = int((like & ~rested).sum())
    chance = in_a_row(restless, int(like.sum()), bounds["rule_hours"] // DAY_HOURS)
    usual = chance * MILLION > bounds["chance_millionths"]
    if not by_cold and (usual or idle < bounds["idle_percent"] or int(whole.sum()) < bounds["like_days"]):
        known = {"days": int(cold.sum()), "needed_days": bounds["like_days"]}
        return Unsaid(kind, seen.commodity, NO_OUTDOOR if bound is None else NO_LIKE_DAYS, known)
    if usual:
        return Fine(kind, seen.commodity)
    figures = {"like_days": int(like.sum()), "restless_days": restless} | ({} if by_cold else {"idle": idle})
    return _found(kind, home, replace(wide, step=seen.step), run, chance, figures, width)


def _together(seen: HoursSeen, width: int) -> HoursSeen:
    """Give for each hour what it and those before it came to, `width` together; sound where all of them are."""
    if width == 1:
        return seen
    value, sound = (np.convolve(one, np.ones(width, np.int64))[: len(one)] for one in (seen.value, seen.sound))
    return replace(seen, value=value, sound=sound == width)


def _idle_percent(seen: HoursSeen, run: Run) -> int:
    """Give the percent of a run's hours that came to the same as its smallest; 0 where a boiler may burn so little."""
    bounds = limits("unresting")
    inside = seen.value[run.first :][seen.sound[run.first :]]
    smallest = int(inside.min())
    if shown(seen.unit, smallest) > bounds["burner_litres"]:
        return 0
    apart = max(seen.step, smallest * bounds["alike_percent"] // 100)
    return int(100 * (inside <= smallest + apart).sum() // len(inside))


def _as_cold_as(home: HomeSeen, first_day: int) -> float | None:
    """Give how cold a past day must have been: as the coldest of the three warmest days of the run.

    On the warmest days of a run a rest is the most to be expected; None where the weather of too few is known.
    """
    days = limits("unresting")["rule_hours"] // DAY_HOURS
    known = home.outdoor_c[first_day:]
    known = np.sort(known[np.isfinite(known)])[::-1]
    return float(known[days - 1]) if len(known) >= days else None


def _rested(wide: HoursSeen, seen: HoursSeen, home: HomeSeen) -> tuple[Mask, Mask]:
    """Tell of each day whether it rested (for so many hours together), and whether all of it is beyond doubt."""
    rest = wide.sound & (wide.value <= 0)
    days = home.calendar.days
    rested = np.bincount(home.calendar.day[rest], minlength=days) > 0
    sound = np.bincount(home.calendar.day[seen.sound], minlength=days)
    return rested, sound >= np.diff(home.calendar.edges_us) // HOUR_US
