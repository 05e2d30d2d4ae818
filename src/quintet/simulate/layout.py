"""The city's places and meters, made once: sites (complexes, public sites, the city itself) with arrays of rows.

A row is one point of use for good; an exchange gives it a second meter (see `exchange` in faults). Rows of a site are
sorted by meter name.
"""

from dataclasses import dataclass, field
from math import ceil, exp

import numpy as np
import numpy.typing as npt

from .behaviour import SHIFTS, Archetype, MeterType, Use, behaviour
from .plan import Chance, CityPlan, Floats, Ints, chance
from .supply import Supply, supply

CITY = "city"
FIRST_FLOOR = 1
FULLEST_START = 0.4
"""Registers start below this share of their dials, so that none rolls over but by the plan."""


@dataclass(frozen=True, slots=True)
class Row:
    """One point of use. `klass` is its class of use, None where its flow follows from others (exchangers, imports)."""

    name: str
    meter: MeterType
    building: str
    premise: str | None
    primary_use: str
    area_m2: float | None
    klass: int | None = None
    base: float = 0.0
    home: int = 0
    flow: str = "consumption"
    plate_max: str | None = None


@dataclass(eq=False)
class Site:
    """One site: its rows and, beside them, what the mathematics needs as arrays of one entry a row."""

    number: int
    code: str
    district: str
    kind: str
    rows: list[Row]
    homes: int
    away_share: Floats
    klass: Ints = field(init=False)
    drawn: npt.NDArray[np.bool_] = field(init=False)
    base: Floats = field(init=False)
    home: Ints = field(init=False)
    table: Ints = field(init=False)
    step: Floats = field(init=False)
    per_unit: Floats = field(init=False)
    register: npt.NDArray[np.bool_] = field(init=False)
    wrap: Floats = field(init=False)
    start: Floats = field(init=False)
    groups: dict[tuple[str, str], npt.NDArray[np.intp]] = field(init=False)

    def settle(self, seed: int) -> "Site":
        """Sort the rows and fill the arrays; chance gives habits and the registers' first counts (sub-units)."""
        rows = self.rows = sorted(self.rows, key=lambda row: row.name)
        rng = chance(seed, Chance.LAYOUT, self.number, 1)
        habit = rng.integers(0, len(SHIFTS), self.homes + 1)
        self.drawn = np.array([row.klass is not None for row in rows])
        self.klass = np.array([row.klass or 0 for row in rows], np.int64)
        self.base = np.array([row.base for row in rows])
        self.home = np.array([row.home for row in rows], np.int64)
        self.table = self.klass * len(SHIFTS) + np.where(self.home < self.homes, habit[self.home], SHIFTS.index(0))
        self.step = np.array([float(row.meter.step) for row in rows])
        self.per_unit = np.array([float(row.meter.steps_per_unit) for row in rows])
        self.register = np.array([row.meter.is_register for row in rows])
        dials = [float(10 ** (row.meter.dials or 0) * row.meter.steps_per_unit) for row in rows]
        self.wrap = np.where(self.register, dials, np.inf)
        full = np.where(self.register, self.wrap, 0.0) * FULLEST_START
        self.start = np.floor(rng.uniform(0, 1, len(rows)) ** 3 * full) * self.step + np.floor(
            rng.uniform(0, 1, len(rows)) * self.step
        )
        members: dict[tuple[str, str], list[int]] = {}
        for i, row in enumerate(rows):
            members.setdefault((row.meter.carrier, row.flow), []).append(i)
        self.groups = {key: np.array(found, np.intp) for key, found in members.items()}
        return self


def _plate(use: Use, mean_per_day: float) -> str | None:
    """Give the physical maximum of a meter, units an hour: its plate's, or sized to its user."""
    meter = use.meter
    if meter.plate_factor is None:
        return meter.plate_max
    hourly = mean_per_day / 24 / (meter.step * meter.steps_per_unit)
    return str(ceil(hourly * meter.plate_factor))


def _rows_of(
    owner: Archetype,
    prefix: str,
    building: str,
    rng: np.random.Generator,
    *,
    scale: float,
    area: float | None,
    premise: str | None = None,
    home: int = 0,
) -> list[Row]:
    """Make an archetype's meters; `scale` is how many of what its uses count by (dwellings, m2, kW)."""
    rows: list[Row] = []
    for use in owner.uses:
        spread = exp(use.between * min(max(rng.standard_normal(), -2.5), 2.5) - use.between**2 / 2)
        base = use.per_day * scale * spread
        generates = use.meter.role == "generation"
        rows.append(
            Row(
                f"{prefix}-{use.meter.commodity}",
                use.meter,
                building,
                premise,
                owner.primary_use,
                area,
                use.klass,
                base,
                home,
                "local_generation" if generates else "consumption",
                _plate(use, base),
            )
        )
    return rows


def _complex(plan: CityPlan, number: int, code: str, district: str, dwellings: int) -> Site:
    """Make one complex: buildings with dwellings, some roofs with panels, the common areas, the exchanger."""
    sizes, kinds = supply().layout, behaviour()
    rng = chance(plan.seed, Chance.LAYOUT, number, 0)
    owners = kinds.of_kind("dwelling")
    shares = np.array([owner.share for owner in owners])
    choice = rng.choice(len(owners), dwellings, p=shares / shares.sum())
    rows: list[Row] = []
    for i in range(dwellings):
        block, place = divmod(i, sizes["dwellings_per_building"])
        floor, unit = divmod(place, sizes["dwellings_per_floor"])
        building, premise = f"{101 + block}", f"{floor + FIRST_FLOOR:02d}{unit + 1:02d}"
        owner = owners[choice[i]]
        area = round(float(rng.uniform(*owner.area_m2)), 1)
        where = f"{building}-{premise}"
        rows += _rows_of(owner, where, building, rng, scale=1.0, area=area, premise=premise, home=i)
    for block in range(-(-dwellings // sizes["dwellings_per_building"])):
        if rng.uniform() < sizes["roof_solar_share"]:
            kw = round(float(rng.uniform(*sizes["roof_solar_kw"])), 1)
            for owner in kinds.of_kind("roof"):
                name = f"{101 + block}"
                rows += _rows_of(owner, name, name, rng, scale=kw, area=None, home=dwellings)
    for owner in kinds.of_kind("common"):
        rows += _rows_of(owner, owner.code, owner.code, rng, scale=float(dwellings), area=None, home=dwellings)
    made = supply().exchanger
    for meter, flow in (
        (made.heated, "conversion_in"),
        (made.carries, "conversion_in"),
        (made.output, "conversion_out"),
    ):
        rows.append(Row(meter.code, meter, "plant-room", None, "plant room", None, flow=flow, home=dwellings))
    away = np.append(np.array([owners[c].away_share for c in choice]), 0.0)
    return Site(number, code, district, "complex", rows, dwellings, away).settle(plan.seed)


def _public(plan: CityPlan, number: int, code: str, district: str, buildings: int) -> Site:
    """Make one district's public and commercial buildings."""
    rng = chance(plan.seed, Chance.LAYOUT, number, 0)
    owners = behaviour().of_kind("public")
    shares = np.array([owner.share for owner in owners])
    rows: list[Row] = []
    for i in range(buildings):
        owner = owners[int(rng.choice(len(owners), p=shares / shares.sum()))]
        area = float(round(rng.uniform(*owner.area_m2)))
        building = f"{owner.code}-{i + 1:02d}"
        rows += _rows_of(owner, building, building, rng, scale=area, area=area)
    return Site(number, code, district, "public", rows, 0, np.zeros(1)).settle(plan.seed)


def _city(plan: CityPlan, number: int, network: Supply) -> Site:
    """Make the city's own meters: solar farm, plants, storage, boundary."""

    def derived(name: str, meter: MeterType, flow: str) -> Row:
        return Row(name, meter, CITY, None, "supply", None, flow=flow)

    rows: list[Row] = []
    for carrier in network.carriers.values():
        for meter, flow in ((carrier.import_meter, "import"), (carrier.export_meter, "export")):
            if meter is not None:
                rows += [derived(meter.code, meter, flow)]
    for plant in network.plants.values():
        rows.append(derived(f"{plant.code}-{plant.input_meter.commodity}", plant.input_meter, "conversion_in"))
        outputs = plant.output_meters.values()
        rows += [derived(f"{plant.code}-{meter.commodity}", meter, "conversion_out") for meter in outputs]
    rows += [derived(store.code, store.meter, "storage") for store in network.storages.values()]
    farm = behaviour().archetypes[network.farm_archetype].uses[0]
    base = farm.per_day * plan.households * network.farm_kw_per_household
    rows.append(
        Row(
            network.farm_name,
            farm.meter,
            CITY,
            None,
            "solar farm",
            None,
            farm.klass,
            base,
            0,
            "local_generation",
            _plate(farm, base),
        )
    )
    return Site(number, CITY, "", "city", rows, 0, np.zeros(1)).settle(plan.seed)


def build(plan: CityPlan) -> list[Site]:
    """Lay out the city: sites sorted by code; the order and content depend on the plan's size and seed only."""
    sizes = supply().layout
    complexes = -(-plan.households // sizes["dwellings_per_complex"])
    districts = -(-complexes // sizes["complexes_per_district"])
    digits, places = max(3, len(str(complexes))), max(2, len(str(districts)))
    share, more = divmod(plan.households, complexes)
    sites: list[Site] = []
    for i in range(complexes):
        district = f"d{i // sizes['complexes_per_district'] + 1:0{places}d}"
        sites.append(_complex(plan, i, f"c{i + 1:0{digits}d}", district, share + (i < more)))
    buildings = -(-plan.households // sizes["dwellings_per_public_building"])
    for i in range(min(districts, buildings)):
        count = buildings // districts + (i < buildings % districts)
        sites.append(_public(plan, complexes + i, f"p{i + 1:0{places}d}", f"d{i + 1:0{places}d}", max(count, 1)))
    sites.append(_city(plan, complexes + districts, supply()))
    return sorted(sites, key=lambda site: site.code)
