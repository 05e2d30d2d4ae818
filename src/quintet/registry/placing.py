"""Where a meters row stands: the place it counts at, and the places that its columns make known."""

from collections.abc import Iterable, Mapping

from quintet.store.records import ALWAYS, Record
from quintet.terms.reading import Role

from .layout import MeterRow
from .timeline import Body, Timelines, body_at, restate
from .tree import ROOT, Tree

AT_THE_BORDER = frozenset({Role.IMPORT, Role.EXPORT, Role.SITE_IMPORT})
"""Roles of what crosses a border: of the site `city` they are the city's own, whatever building holds the meter."""


def place_of(row: MeterRow, role: str) -> str:
    """Give the id of the lowest place that a row names: SITE, SITE/BUILDING or SITE/BUILDING/PREMISE."""
    site = row.site or ""
    if row.building is None or (site == ROOT and (role in AT_THE_BORDER or row.building == ROOT)):
        return site
    return f"{site}/{row.building}" if row.premise is None else f"{site}/{row.building}/{row.premise}"


def place_records(
    tree: Tree, said: Timelines, spots: Iterable[tuple[MeterRow, str]], districts: Mapping[str, str]
) -> list[Record]:
    """Give the records of places that rows make known or describe better; what city.toml described stays as it is.

    `spots` are rows with their places, `districts` the virtual cities that a map puts sites into.
    Floor areas are those of the lowest place a row names; of several the largest, so that the order of rows is nothing.
    """
    wanted: dict[str, Body] = {}
    for row, place in spots:
        site = row.site or ""
        if site != ROOT and site not in wanted:
            district = districts.get(site, ROOT)
            if district != ROOT and district not in wanted:
                wanted[district] = _body(district, "district", ROOT)
            wanted[site] = _body(site, "complex", district)
        _describe(wanted, row, place)
    out: list[Record] = []
    for place, body in wanted.items():
        known = tree.bodies.get(place)
        if known is not None and not known.get("listed"):
            continue
        together = body if known is None else _better(known, body)
        if together != known:
            out += restate("place", place, said.get(place, ()), ((ALWAYS, together),))
    return out


def _describe(wanted: dict[str, Body], row: MeterRow, place: str) -> None:
    """Add the place that a row names, with the building between it and the site."""
    site = row.site or ""
    if place != site:
        building = f"{site}/{row.building}"
        if building not in wanted:
            wanted[building] = _body(row.building or "", "building", site)
        if place not in wanted:
            wanted[place] = _body(row.premise or "", "premise", building)
        elif place == building and row.dwelling:
            wanted[building]["level"] = "premise"
    if row.floor_area_m2 is not None and place in wanted:
        wanted[place]["floor_area_m2"] = max(float(row.floor_area_m2), wanted[place].get("floor_area_m2", 0.0))


def _body(name: str, level: str, parent: str) -> Body:
    return {"level": level, "parent": parent, "name_en": name, "name_ko": name, "listed": True}


def _better(known: Body, stated: Body) -> Body:
    """Join what is known of a place with what a table says: a table that is silent takes nothing away."""
    out = {**known, **stated}
    if stated["level"] == "building":
        out["level"] = known["level"]
    if stated["parent"] == ROOT:
        out["parent"] = known["parent"]
    return out


def point_records(points: Timelines, point: str, place: str, at_us: int) -> list[Record]:
    """Give the records that put a usage point at a place from a moment on; nothing when it is there by then."""
    body: Body = {"place": place}
    held = body_at(points[point], at_us) if point in points else None
    return [] if held == body else [Record("usage_point", point, at_us, body)]
