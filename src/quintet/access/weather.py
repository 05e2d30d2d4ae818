"""The outdoor temperature of a place, from the weather station that speaks for it."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Registry
from quintet.registry.weather import station_of, stations
from quintet.store.engine import Engine, Snapshot
from quintet.store.read import intervals
from quintet.terms.period import HOUR_US, MINUTE_US, Span
from quintet.terms.quality import qualities
from quintet.terms.tables import OUTDOOR
from quintet.terms.unit import units

MEASURED = np.array([one.id for one in qualities().values() if one.kind == "measured"], np.uint8)


def outdoor(
    engine: Engine, snapshot: Snapshot, registry: Registry, place: str, span: Span, known: int | None
) -> pa.Table:
    """Give the measured outdoor temperatures of a place (OUTDOOR, by start) that begin in a span, as known at a batch.

    They are those of the lowest place above that has a station, or of the city's only one; empty where there is none. A
    station is named by the place where it stands. Nothing is estimated: what is missing is not there.
    """
    station = station_of(registry, place, stations(registry))
    if station is None:
        return OUTDOOR.empty_table()
    start, mean, minutes = outdoor_of(engine, snapshot, registry, station, span, known)
    columns = [
        pa.array([registry.place_of(station)] * len(start), pa.string()),
        pa.array(start).cast(OUTDOOR.field("start").type),
        pa.array([minutes] * len(start), pa.int32()),
        pa.array(mean, pa.float64()),
    ]
    return pa.table(columns, schema=OUTDOOR)


def outdoor_of(
    engine: Engine, snapshot: Snapshot, registry: Registry, station: int, span: Span, known: int | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], int]:
    """Give what a station measured in a span: starts, means in degrees, and the minutes of an interval."""
    rows = registry.channels()
    (reading,) = rows.filter(pc.equal(rows["channel"], station)).to_pylist()
    minutes = int(reading["cadence_min"])
    found = intervals(engine, snapshot, span.start_us, span.end_us, channels=[station], known_batch=known)
    sure = np.isin(found["quality"].to_numpy(), MEASURED)
    start, value = (found[name].to_numpy()[sure] for name in ("start_us", "value"))
    # kept is the mean times hours
    degree_hour = int(units()[reading["unit"]].ratio)
    return start, value * HOUR_US / (minutes * MINUTE_US) / degree_hour, minutes


def without_station(registry: Registry, place: str) -> str:
    """Say why no weather station speaks for a place where some stand in the city; empty where one does, or none is."""
    there = stations(registry)
    if not there or station_of(registry, place, there) is not None:
        return ""
    return f"{len(there)} weather stations stand in the city, and none speaks for {place}: ask for {', '.join(there)}"
