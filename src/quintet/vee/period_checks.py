"""The rules that need a longer history, another channel, or facts beside the values: their functions, by id."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .beside import Beside
from .checks import Settings, Slab
from .checks_history import change, demand_against_past, estimated_too_long, use_against_past
from .checks_hours import higher_than_ever, more_at_this_hour, zero_at_this_hour
from .checks_level import day_level, long_zero
from .checks_pair import check_meter, no_reactive, register_change, sum_check
from .checks_physics import gas_correction, heat_balance, leak
from .checks_repeat import repeated
from .checks_state import clock_check, flagged, use_while_inactive
from .checks_step import other_fraction, other_step
from .found import Found


@dataclass(frozen=True, slots=True)
class PeriodCheck:
    """A rule's function and the thresholds it reads, by name, with the form each must have."""

    function: Callable[[Slab, Settings, Beside], Found]
    needs: Mapping[str, str]


BOUNDS = {"low": "ratio", "high": "ratio"}

LEVEL = {
    "span": "count",
    "history": "count",
    "fewest": "count",
    "hold": "count",
    "high": "ratio",
    "low": "ratio",
    "floor": "rate",
}

STEP = {
    "history": "count",
    "fewest": "count",
    "values": "count",
    "many": "count",
    "least": "amount",
    "share": "ratio",
    "chance": "ratio",
}

WEEKS = {"history": "count", "fewest": "count"}
"""How long a past a rule looks at, and of how many days of it something must be known."""

HELD = {**WEEKS, "hold": "count"}
"""And for how many days what the rule doubted is kept out of that past."""

PERIOD: dict[str, PeriodCheck] = {
    "V01": PeriodCheck(clock_check, {"pass": "duration", "flag": "duration", "intervals": "count"}),
    "V05": PeriodCheck(flagged, {}),
    "V06": PeriodCheck(sum_check, {"tolerance": "ratio"}),
    "V08": PeriodCheck(use_against_past, BOUNDS),
    "V09": PeriodCheck(demand_against_past, BOUNDS),
    "V11": PeriodCheck(use_while_inactive, {"use": "amount"}),
    "V13": PeriodCheck(no_reactive, {"floor": "amount", "power_factor": "ratio"}),
    "V14": PeriodCheck(change, {"ratio": "ratio", "floor": "rate"}),
    "V15": PeriodCheck(register_change, {"ratio": "ratio", "floor": "rate"}),
    "V17": PeriodCheck(check_meter, {"factor": "ratio", "class": "ratio"}),
    "V20": PeriodCheck(estimated_too_long, {"days": "count"}),
    "D01": PeriodCheck(day_level, LEVEL),
    "D03": PeriodCheck(day_level, LEVEL),
    "Q01": PeriodCheck(other_step, STEP),
    "Z01": PeriodCheck(long_zero, {**HELD, "hours": "count", "ratio": "ratio"}),
    "Q02": PeriodCheck(other_fraction, {**WEEKS, "values": "count", "chance": "ratio"}),
    "Z02": PeriodCheck(zero_at_this_hour, {**HELD, "hours": "count"}),
    "P01": PeriodCheck(higher_than_ever, {**HELD, "ratio": "ratio", "floor": "rate"}),
    "S01": PeriodCheck(more_at_this_hour, {**HELD, "hours": "count", "ratio": "ratio", "floor": "rate"}),
    "R01": PeriodCheck(repeated, {**WEEKS, "ratio": "ratio", "chance": "ratio"}),
    "W01": PeriodCheck(leak, {"flow": "rate", "flag_hours": "count", "hours": "count", "times": "ratio", **WEEKS}),
    "H01": PeriodCheck(heat_balance, {"ratio": "ratio", "least_dt": "kelvin", "kwh_m3_k": "ratio"}),
    "G01": PeriodCheck(gas_correction, {"ratio": "ratio", "p0": "pressure", "t0": "kelvin"}),
}
"""Every rule of reach "period". They give findings; a run marks what some of those span (see rulebook, `marks`)."""
