"""The city's papers: the table of meters, the city's settings (city.toml) and the list of faults."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from quintet.terms.tables import MOMENT

from .faults import Fault
from .layout import CITY, Site
from .metering import Meter
from .plan import CADENCE_MIN, CityPlan
from .supply import supply

METERS = pa.schema(
    [
        *((name, pa.string()) for name in ("site", "building", "premise", "meter", "commodity", "unit", "value_kind")),
        ("cadence_min", pa.int32()),
        ("tz", pa.string()),
        ("role", pa.string()),
        ("dials", pa.int32()),
        ("multiplier", pa.string()),
        ("plate_max", pa.string()),
        ("installed", MOMENT),
        ("removed", MOMENT),
        ("replaces", pa.string()),
        ("primary_use", pa.string()),
        ("floor_area_m2", pa.float64()),
    ]
)
FAULTS = pa.schema(
    [
        ("site", pa.string()),
        ("meter", pa.string()),
        ("kind", pa.string()),
        ("start", MOMENT),
        ("end", MOMENT),
        ("magnitude", pa.float64()),
    ]
)


def meters_table(plan: CityPlan, sites: list[tuple[Site, list[Meter]]]) -> pa.Table:
    """List all meters in the dataset layout."""
    rows = [_meter_row(plan, site, meter) for site, meters in sites for meter in meters]
    return pa.Table.from_pylist(rows, METERS)


def _meter_row(plan: CityPlan, site: Site, meter: Meter) -> dict[str, Any]:
    """Say all about one meter."""
    row, kind = meter.row, meter.row.meter
    return {
        "site": site.code,
        "building": row.building,
        "premise": row.premise,
        "meter": meter.name,
        "commodity": kind.commodity,
        "unit": kind.unit,
        "value_kind": kind.value_kind,
        "cadence_min": CADENCE_MIN,
        "tz": plan.tz,
        "role": kind.role,
        "dials": kind.dials,
        "multiplier": "1",
        "plate_max": row.plate_max,
        "installed": meter.installed_us,
        "removed": meter.removed_us,
        "replaces": meter.replaces,
        "primary_use": row.primary_use,
        "floor_area_m2": row.area_m2,
    }


def faults_table(sites: Mapping[int, Site], faults: list[Fault]) -> pa.Table:
    """List faults by the meter that had them (of an exchange: the old one)."""
    rows = [
        {
            "site": sites[fault.site].code,
            "meter": sites[fault.site].rows[fault.row].name,
            "kind": fault.kind,
            "start": fault.start_us,
            "end": fault.end_us,
            "magnitude": fault.magnitude,
        }
        for fault in faults
    ]
    return pa.Table.from_pylist(rows, FAULTS)


def settings_of(plan: CityPlan, sites: list[Site]) -> dict[str, Any]:
    """Say what city.toml holds: the city, its places down to the sites, plants and storage, marked as simulated."""
    districts = sorted({site.district for site in sites if site.district})
    places = [
        {"id": code, "level": "district", "name_en": f"District {int(code[1:])}", "name_ko": f"{int(code[1:])}구역"}
        for code in districts
    ]
    names = {"complex": ("Complex", "단지"), "public": ("Public buildings", "공공시설")}
    for site in sites:
        if site.kind in names:
            english, korean = names[site.kind]
            number = int(site.code[1:])
            places.append(
                {
                    "id": site.code,
                    "level": "complex",
                    "parent": site.district,
                    "name_en": f"{english} {number}",
                    "name_ko": f"{korean} {number}",
                }
            )
    return {
        "city": {
            "name_en": "Simulated City",
            "name_ko": "모의도시",
            "timezone": plan.tz,
            "simulated": True,
        },
        "place": places,
        "plant": [*_city_plants(), *(p for site in sites for p in _site_plants(site))],
        "storage": [
            {"id": store.code, "place": CITY, "channels": [f"{CITY}/{store.code}"]}
            for store in supply().storages.values()
        ],
        "feeder": [*_city_networks(), *(row for site in sites for row in _site_networks(site))],
    }


def _city_networks() -> list[dict[str, Any]]:
    """List the networks that span the city: each headed by what comes in, or by the plants that feed it."""
    network = supply()
    heads: dict[str, list[str]] = {}
    for carrier in network.carriers.values():
        if carrier.import_meter is not None:
            heads[carrier.code] = [f"{CITY}/{carrier.import_meter.code}"]
        else:
            plants = [plant for plant in network.plants.values() if carrier.code in plant.output_meters]
            names = [f"{CITY}/{plant.code}-{plant.output_meters[carrier.code].commodity}" for plant in plants]
            if names:
                heads[carrier.code] = names
    return [
        {"id": f"{code}-network", "commodity": code, "place": CITY, "supply": names, "level": "network"}
        for code, names in heads.items()
    ]


def _site_networks(site: Site) -> list[dict[str, Any]]:
    """List the network behind a site's heat exchanger, if it has one."""
    outs = [row for row in site.rows if row.flow == "conversion_out" and site.kind != CITY]
    return [
        {
            "id": f"{site.code}-{row.meter.commodity}-network",
            "commodity": row.meter.commodity,
            "place": site.code,
            "supply": [f"{site.code}/{row.name}"],
            "level": "network",
        }
        for row in outs
    ]


def _city_plants() -> list[dict[str, Any]]:
    """List the city's own plants."""
    network = supply()
    farm = {
        "id": network.farm_name,
        "kind": "solar",
        "place": CITY,
        "outputs": [f"{CITY}/{network.farm_name}"],
        "renewable": True,
    }
    plants = [
        {
            "id": plant.code,
            "kind": plant.kind,
            "place": CITY,
            "inputs": [f"{CITY}/{plant.code}-{plant.input_meter.commodity}"],
            "outputs": [f"{CITY}/{plant.code}-{meter.commodity}" for meter in plant.output_meters.values()],
        }
        for plant in network.plants.values()
    ]
    return [farm, *plants]


def _site_plants(site: Site) -> list[dict[str, Any]]:
    """List a site's heat exchanger, if it has one."""
    ins = [f"{site.code}/{row.name}" for row in site.rows if row.flow == "conversion_in"]
    outs = [f"{site.code}/{row.name}" for row in site.rows if row.flow == "conversion_out"]
    if site.kind == CITY or not outs:
        return []
    exchanger = {"id": f"{site.code}-exchanger", "kind": "heat_exchanger", "place": site.code}
    return [{**exchanger, "inputs": ins, "outputs": outs}]
