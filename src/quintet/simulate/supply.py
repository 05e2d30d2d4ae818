"""How the city is laid out and supplied: the shipped network table, read and checked."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.unit import units

from .behaviour import MeterType, meter_types

PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier: who meets what is missing ("exchanger", a plant, "import"), its loss, its boundary meters.

    `content` is the energy (mWh) in one sub-unit: 1 for energy itself, the calorific value for a fuel by volume.
    """

    code: str
    balance: str
    loss_ppm: int
    import_meter: MeterType | None
    export_meter: MeterType | None
    content: Fraction


@dataclass(frozen=True, slots=True)
class Plant:
    """A converter: `ratios` are output sub-units for one sub-unit of input.

    `per_household` is sub-units of input an interval; a plant without one follows its carrier.
    """

    code: str
    kind: str
    input_meter: MeterType
    output_meters: dict[str, MeterType]
    ratios: dict[str, Fraction]
    per_household: float | None
    off_days_per_year: float


@dataclass(frozen=True, slots=True)
class Storage:
    """A store that charges and discharges by the clock: sub-units a household, efficiency in millionths."""

    code: str
    meter: MeterType
    per_household: float
    charge_hours: tuple[int, int]
    discharge_hours: tuple[int, int]
    efficiency_ppm: int


@dataclass(frozen=True, slots=True)
class Exchanger:
    """Hot water made at each complex: its three meters, the water's temperature and heat, its losses."""

    output: MeterType
    carries: MeterType
    heated: MeterType
    hot_c: float
    mwh_per_litre_k: int
    loss_ppm: int
    standby_per_dwelling: int


@dataclass(frozen=True, slots=True)
class Supply:
    """The whole table; `layout` holds the sizes of places, `farm_*` the solar farm's."""

    layout: dict[str, Any]
    carriers: dict[str, Carrier]
    plants: dict[str, Plant]
    storages: dict[str, Storage]
    exchanger: Exchanger
    farm_name: str
    farm_archetype: str
    farm_kw_per_household: float


def read_carrier(code: str, row: dict[str, Any]) -> Carrier:
    """Read one `[carrier.X]` row."""
    optional = {"loss_ppm", "import_meter", "export_meter", "calorific_mj_m3"}
    check_keys(row, required={"balance"}, optional=optional, place=f"carrier {code}")
    meters = meter_types()
    content = Fraction(1)
    if "calorific_mj_m3" in row:
        content = Fraction(row["calorific_mj_m3"]) * units()["MJ"].ratio / units()["m3"].ratio
    imports, exports = row.get("import_meter"), row.get("export_meter")
    return Carrier(
        code, row["balance"], row.get("loss_ppm", 0), meters[imports] if imports else None,
        meters[exports] if exports else None, content,
    )  # fmt: skip


def read_plant(code: str, row: dict[str, Any], carriers: dict[str, Carrier]) -> Plant:
    """Read one `[plant.X]` row: outputs are shares of the input's energy."""
    required = {"kind", "input", "input_meter", "outputs", "output_meters"}
    check_keys(row, required=required, optional={"input_per_household", "off_days_per_year"}, place=f"plant {code}")
    meters = meter_types()
    meter = meters[row["input_meter"]]
    content = carriers[row["input"]].content
    ratios = {out: Fraction(share) * content / carriers[out].content for out, share in row["outputs"].items()}
    hourly = row.get("input_per_household")
    return Plant(
        code, row["kind"], meter, {out: meters[m] for out, m in row["output_meters"].items()}, ratios,
        None if hourly is None else hourly * meter.step * meter.steps_per_unit / 4, row.get("off_days_per_year", 0.0),
    )  # fmt: skip


def read_storage(code: str, row: dict[str, Any]) -> Storage:
    """Read one `[storage.X]` row."""
    required = {"carrier", "meter", "kwh_per_household", "charge_hours", "discharge_hours", "efficiency_ppm"}
    check_keys(row, required=required, optional=set(), place=f"storage {code}")
    charge, discharge = tuple(row["charge_hours"]), tuple(row["discharge_hours"])
    per_household = float(row["kwh_per_household"] * units()["kWh"].ratio)
    return Storage(code, meter_types()[row["meter"]], per_household, charge, discharge, row["efficiency_ppm"])


def _exchanger(row: dict[str, Any]) -> Exchanger:
    """Read the `[exchanger]` table."""
    names = {"output", "output_meter", "carries", "carries_meter", "heated_by", "heated_meter"}
    numbers = {"hot_c", "mwh_per_litre_k", "loss_ppm", "standby_w_per_dwelling"}
    check_keys(row, required=names | numbers, optional=set(), place="exchanger")
    meters = meter_types()
    standby = int(row["standby_w_per_dwelling"] * units()["W"].ratio) // 4
    return Exchanger(
        meters[row["output_meter"]], meters[row["carries_meter"]], meters[row["heated_meter"]], row["hot_c"],
        row["mwh_per_litre_k"], row["loss_ppm"], standby,
    )  # fmt: skip


LAYOUT_KEYS = {
    *("dwellings_per_complex", "dwellings_per_building", "dwellings_per_floor", "complexes_per_district"),
    *("dwellings_per_public_building", "roof_solar_share", "roof_solar_kw"),
}


@cache
def supply() -> Supply:
    """Give the shipped network."""
    table = read_toml("quintet.simulate", "network.toml")
    required = {"source", "date", "layout", "carrier", "plant", "solar_farm", "storage", "exchanger"}
    check_keys(table, required=required, optional=set(), place="network")
    check_keys(table["layout"], required=LAYOUT_KEYS, optional=set(), place="layout")
    farm = table["solar_farm"]
    check_keys(farm, required={"name", "archetype", "kw_per_household"}, optional=set(), place="solar_farm")
    carriers = {code: read_carrier(code, row) for code, row in table["carrier"].items()}
    return Supply(
        layout=table["layout"],
        carriers=carriers,
        plants={code: read_plant(code, row, carriers) for code, row in table["plant"].items()},
        storages={code: read_storage(code, row) for code, row in table["storage"].items()},
        exchanger=_exchanger(table["exchanger"]),
        farm_name=farm["name"],
        farm_archetype=farm["archetype"],
        farm_kw_per_household=farm["kw_per_household"],
    )
