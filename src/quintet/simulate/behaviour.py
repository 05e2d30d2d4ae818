"""How users behave, as arrays: a class is one archetype's use of one meter, with a response to hour, day and weather.

The weight of interval k is w = max(0, A_k + B_k e) with e exponential (mean 1, cut at PEAK): for a steady use A and B
share the response; for a use in draws A_k = -ln(1/p_k) and B = 1, so that a draw happens with probability p_k and its
size is again exponential. Where a use is lasting, e is a mean of its own and the last interval's. A day's total is
split over its intervals by these weights.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.commodity import commodities
from quintet.terms.reading import Role, ValueKind
from quintet.terms.unit import units

from .climate import Weather
from .plan import SLOTS, Floats
from .rhythm import DAY_TYPES, day_type

PEAK = 7.0
NEVER = 1e6
SHIFTS = (-4, -2, -1, 0, 1, 2, 4)
"""Habits: whose day runs some quarter hours early or late."""

Singles = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MeterType:
    """A kind of meter. `step` is its display step in sub-units, `steps_per_unit` how many make one `unit`."""

    code: str
    commodity: str
    carrier: str
    unit: str
    quantity: str
    value_kind: str
    role: str
    step: int
    steps_per_unit: int
    dials: int | None
    plate_max: str | None
    plate_factor: float | None

    @property
    def is_register(self) -> bool:
        """Whether its readings are a counter's."""
        return self.value_kind == ValueKind.REGISTER_CUMULATIVE


@dataclass(frozen=True, slots=True)
class Use:
    """One archetype's use of one meter: `klass` numbers it, `per_day` is in sub-units for each `per`."""

    klass: int
    meter: MeterType
    per: str
    per_day: float
    between: float


@dataclass(frozen=True, slots=True)
class Archetype:
    """A kind of user: dwellings share the city by `share`, public buildings likewise."""

    code: str
    kind: str
    share: float
    primary_use: str
    area_m2: tuple[float, float]
    away_share: float
    uses: tuple[Use, ...]


@cache
def meter_types() -> dict[str, MeterType]:
    """Give the shipped kinds of meter."""
    table = read_toml("quintet.simulate", "meters.toml")
    check_keys(table, required={"source", "date", "meter"}, optional=set(), place="meters")
    out: dict[str, MeterType] = {}
    for code, row in table["meter"].items():
        required = {"commodity", "unit", "value_kind", "role", "steps_per_unit"}
        check_keys(row, required=required, optional={"dials", "plate_max", "plate_factor"}, place=f"meter {code}")
        alias = commodities().aliases.get(row["commodity"])
        carrier = alias.commodity if alias else row["commodity"]
        unit, steps = units()[row["unit"]], row["steps_per_unit"]
        commodities()[carrier].display_unit(unit.quantity)
        out[code] = MeterType(
            code, row["commodity"], carrier, row["unit"], unit.quantity, ValueKind(row["value_kind"]).value,
            Role(row["role"]).value, int(unit.ratio / steps), steps, row.get("dials"), row.get("plate_max"),
            row.get("plate_factor"),
        )  # fmt: skip
    return out


USE_KEYS = {
    *("per", "level", "heat_per_k", "heat_below_c", "cool_per_k", "cool_above_c", "season_below_c", "sun"),
    *("steady", "lasting", "draws", "between", "daily", "away"),
}


class Behaviour:
    """All classes of use as arrays of one row a class, and the archetypes that have them."""

    def __init__(self, table: dict[str, Any]) -> None:
        """Build from parsed TOML: `[use.X]`, `[archetype.Y]` and `[shape.Z]` rows."""
        check_keys(table, required={"source", "date", "use", "archetype", "shape"}, optional=set(), place="archetypes")
        self._uses = table["use"]
        for code, row in self._uses.items():
            check_keys(row, required={"meter", "per_day"}, optional=USE_KEYS, place=f"use {code}")
        shapes = {code: _shape(code, row) for code, row in table["shape"].items()}
        rows: list[dict[str, Any]] = []
        curves: list[Floats] = []
        self.archetypes: dict[str, Archetype] = {}
        for code, row in table["archetype"].items():
            self.archetypes[code] = self._archetype(code, row, rows)
            curves += [shapes[use["shape"]] for use in row["uses"]]
        self.shape = np.stack([np.stack([np.roll(c, s, axis=-1) for s in SHIFTS]) for c in curves])
        self._rows = rows
        self.level, self.sun = self._column("level", 0.0), self._column("sun", 0.0)
        self.heat, self.heat_below = self._column("heat_per_k", 0.0), self._column("heat_below_c", -99.0)
        self.cool, self.cool_above = self._column("cool_per_k", 0.0), self._column("cool_above_c", 99.0)
        self.season_below = self._column("season_below_c", 99.0)
        self.steady, self.draws = self._column("steady", 0.0), self._column("draws", 0.0)
        self.lasting = self._column("lasting", 0.0)
        self.daily, self.away = self._column("daily", 0.0), self._column("away", 1.0)

    def _column(self, key: str, default: float) -> Floats:
        """Give one parameter of all classes."""
        return np.array([row.get(key, default) for row in self._rows], np.float64)

    def _archetype(self, code: str, row: dict[str, Any], rows: list[dict[str, Any]]) -> Archetype:
        """Read one archetype and number its uses."""
        optional = {"share", "area_m2", "away_share"}
        check_keys(row, required={"kind", "primary_use", "uses"}, optional=optional, place=f"archetype {code}")
        uses: list[Use] = []
        for entry in row["uses"]:
            check_keys(entry, required={"use", "shape"}, optional={"factor"}, place=f"archetype {code}")
            use = self._uses[entry["use"]]
            meter = meter_types()[use["meter"]]
            per_day = use["per_day"] * entry.get("factor", 1.0) * meter.step * meter.steps_per_unit
            uses.append(Use(len(rows), meter, use.get("per", "dwelling"), per_day, use.get("between", 0.0)))
            rows.append(use)
        low, high = row.get("area_m2", (0.0, 0.0))
        away = row.get("away_share", 0.0)
        return Archetype(code, row["kind"], row.get("share", 1.0), row["primary_use"], (low, high), away, tuple(uses))

    def of_kind(self, kind: str) -> list[Archetype]:
        """List the archetypes of a kind."""
        return [a for a in self.archetypes.values() if a.kind == kind]

    def response(self, day: date, weather: Weather, slots: npt.NDArray[np.intp]) -> Floats:
        """Give each class's response [class, interval] to hour, day and weather, habits unshifted; 1 is its mean."""
        return self.shape[:, SHIFTS.index(0), day_type(day)][:, slots] * self._level_at(weather)

    def _level_at(self, weather: Weather) -> Floats:
        """Give each class's level [class, interval] by the weather."""
        temp = weather.temp_c[None, :]
        season = (weather.mean_c < self.season_below)[:, None]
        cold = np.maximum(self.heat_below[:, None] - temp, 0.0) * season
        warm = np.maximum(temp - self.cool_above[:, None], 0.0)
        sun = weather.ghi_w_m2[None, :] / 1000.0
        lit = self.sun[:, None] * sun
        return self.level[:, None] + self.heat[:, None] * cold + self.cool[:, None] * warm + lit

    def weights(self, day: date, weather: Weather, slots: npt.NDArray[np.intp]) -> tuple[Singles, Singles]:
        """Give A and B [class x habit, interval] of the module's formula."""
        classes, habits = self.shape.shape[:2]
        response = self.shape[:, :, day_type(day)][:, :, slots] * self._level_at(weather)[:, None, :]
        steady = self.steady[:, None, None]
        mean = np.maximum(response.mean(axis=2, keepdims=True), 1e-12)
        odds = np.minimum(self.draws[:, None, None] * response / mean, 0.95)
        threshold = np.where(odds > 0, -np.log(np.where(odds > 0, odds, 1.0)), NEVER)
        in_draws = (self.draws > 0)[:, None, None]
        a = np.where(in_draws, -threshold, steady * response)
        b = np.where(in_draws, 1.0, (1 - steady) * response)
        shape = (classes * habits, len(slots))
        return a.astype(np.float32).reshape(shape), b.astype(np.float32).reshape(shape)


def _shape(code: str, row: dict[str, Any]) -> Floats:
    """Give a shape [day type, slot] of mean 1 on a workday: 24 hours, straight lines between their middles."""
    check_keys(row, required={"workday"}, optional={"saturday", "sunday"}, place=f"shape {code}")
    workday = row["workday"]
    kinds = {"workday": workday, "saturday": row.get("saturday", row.get("sunday", workday)), "sunday": workday}
    kinds["sunday"] = row.get("sunday", row.get("saturday", workday))
    middle = np.arange(24) + 0.5
    at = (np.arange(SLOTS) + 0.5) * 24 / SLOTS
    curves = np.stack([np.interp(at, middle, kinds[kind], period=24) for kind in DAY_TYPES])
    return curves / curves[0].mean()


@cache
def behaviour() -> Behaviour:
    """Give the shipped behaviour."""
    return Behaviour(read_toml("quintet.simulate", "archetypes.toml"))
