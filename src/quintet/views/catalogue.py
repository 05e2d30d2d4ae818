"""What the city consists of, listed page by page: places and channels, as far as the reader may see them."""

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from quintet.access import Access
from quintet.terms.errors import UsageError

from .answers import Meter, Meters, Place, Places
from .asked import cursor_after, cursor_start

Row = TypeVar("Row", Place, Meter)
LEVELS = ("city", "district", "complex", "building", "premise")


class Shelf:
    """Keeps the catalogue of the registry as it stands, for all readers; made again only when that has changed."""

    def __init__(self) -> None:
        """Begin without one."""
        self._making = threading.Lock()
        self._catalogue: Catalogue | None = None

    def listed(self, access: Access) -> "Catalogue":
        """Give the catalogue of the registry that an access reads by."""
        with self._making:
            if self._catalogue is None or self._catalogue.registry is not access.registry():
                self._catalogue = Catalogue(access)
            return self._catalogue


class Catalogue:
    """One registry's places and channels in order of name: made once per registry, then pages are cheap."""

    def __init__(self, access: Access) -> None:
        """Lay out the registry as it stands."""
        self.registry = access.registry()
        self.places = sorted((Place(**row) for row in self.registry.places().to_pylist()), key=_name_of_place)
        self.place_names = [row.place for row in self.places]
        self.meters = _meters(access)
        self.meter_names = [row.channel for row in self.meters]
        self.by_place: dict[str, list[Meter]] = {}
        for meter in self.meters:
            self.by_place.setdefault(meter.place, []).append(meter)

    def place(self, place: str) -> Place:
        """Give a place that exists; an unknown one raises NotFound with names like it."""
        self.registry.need_place(place)
        return self.places[bisect_right(self.place_names, place) - 1]

    def meter(self, channel: str) -> Meter:
        """Give a channel that the registry has."""
        return self.meters[bisect_right(self.meter_names, channel) - 1]

    def meters_in(self, place: str) -> list[Meter]:
        """Give the channels that stand at a place or below, in the order of the table of commodities."""
        order = {code: at for at, code in enumerate(self.registry.commodities.rows)}
        found = [meter for inner in self.registry.descendants(place) for meter in self.by_place.get(inner, [])]
        return sorted(found, key=lambda meter: (order[meter.commodity], meter.channel))


def list_places(
    access: Access,
    catalogue: Catalogue,
    level: str | None,
    parent: str | None,
    cursor: str | None,
    limit: int,
    known_at: str | None = None,
) -> Places:
    """Give a page of places, all or those of a level or directly below a parent.

    `known_at` is the moment that the catalogue is of, as it was asked for: a cursor continues that question only.
    """
    if parent is not None:
        access.may_read(parent)
    question = ["places", level, parent, known_at]
    horizon = access.horizon()
    if level is not None and level not in LEVELS:
        raise UsageError(
            f"there is no level {level!r}.",
            code="unknown_level",
            place="level",
            remedy=f"Known: {', '.join(LEVELS)}.",
            said={"text": level, "known": list(LEVELS)},
        )
    rows, following = _page(
        catalogue.places,
        catalogue.place_names,
        cursor_start(question, cursor),
        limit,
        lambda row: (
            level in (None, row.level) and parent in (None, row.parent) and (horizon is None or row.place in horizon)
        ),
    )
    return Places(rows, None if following is None else cursor_after(question, following))


def list_meters(
    access: Access,
    catalogue: Catalogue,
    place: str | None,
    commodity: str | None,
    cursor: str | None,
    limit: int,
    known_at: str | None = None,
) -> Meters:
    """Give a page of channels, all or those standing at a place (with all below it) or of a commodity.

    `known_at` as of `list_places`.
    """
    if place is not None:
        access.may_read(place)
    if commodity is not None:
        _ = catalogue.registry.commodities[commodity]
    horizon = access.horizon()
    inside = None if place is None else catalogue.registry.descendants(place)
    question = ["meters", place, commodity, known_at]
    rows, following = _page(
        catalogue.meters,
        catalogue.meter_names,
        cursor_start(question, cursor),
        limit,
        lambda row: (
            (inside is None or row.place in inside)
            and commodity in (None, row.commodity)
            and (horizon is None or row.place in horizon)
            and ((of := access.utilities(row.place)) is None or row.commodity in of)
        ),
    )
    return Meters(rows, None if following is None else cursor_after(question, following))


def _page(
    rows: Sequence[Row], names: Sequence[str], after: str, limit: int, fits: Callable[[Row], bool]
) -> tuple[list[Row], str | None]:
    """Give up to `limit` fitting rows named after `after`, and the last one's name where there are more."""
    out: list[Row] = []
    last = after
    for at in range(bisect_right(names, after), len(rows)):
        if not fits(rows[at]):
            continue
        if len(out) == limit:
            return out, last
        out.append(rows[at])
        last = names[at]
    return out, None


def _name_of_place(row: Place) -> str:
    return row.place


def _meters(access: Access) -> list[Meter]:
    """Give every channel in order of name; `flow` is the last that it was said to count as."""
    registry = access.registry()
    placed = registry.placements().select(["channel", "start_us", "flow"]).sort_by("start_us")
    flows: dict[int, str] = dict(_pairs(placed["channel"].to_pylist(), placed["flow"].to_pylist()))
    names = ("channel", "name", "commodity", "unit", "quantity", "value_kind", "role", "cadence_min")
    table = registry.channels().select(names).sort_by("name")
    return [
        Meter(
            name,
            commodity,
            unit,
            registry.commodities[commodity].display_unit(quantity).code,
            kind,
            role,
            cadence,
            registry.place_of(channel),
            flows.get(channel),
        )
        for channel, name, commodity, unit, quantity, kind, role, cadence in zip(
            *(table[column].to_pylist() for column in names), strict=True
        )
    ]


def _pairs(first: Iterable[int], second: Iterable[str]) -> Iterable[tuple[int, str]]:
    return zip(first, second, strict=True)
