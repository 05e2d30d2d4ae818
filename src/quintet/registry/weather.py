"""Weather stations: the channels that tell the outdoor temperature, and which of them speaks for a place."""

from collections.abc import Mapping

from .snapshot import Registry


def stations(registry: Registry) -> Mapping[str, int]:
    """Give the weather stations by the place where they stand: channel numbers, the first where there are several."""
    out: dict[str, int] = {}
    outdoor = {code for code, row in registry.commodities.rows.items() if row.weather}
    rows = [row["channel"] for row in registry.channels().to_pylist() if row["commodity"] in outdoor]
    for number in sorted(rows):
        out.setdefault(registry.place_of(number), number)
    return out


def station_of(registry: Registry, place: str, known: Mapping[str, int]) -> int | None:
    """Give the station that speaks for a place: of the places that hold it the lowest that has one, else the only one.

    `known` are the city's stations. None where there is no station, or several elsewhere.
    """
    above = next((known[here] for here in registry.tree.path(place) if here in known), None)
    if above is not None:
        return above
    return next(iter(known.values())) if len(known) == 1 else None
