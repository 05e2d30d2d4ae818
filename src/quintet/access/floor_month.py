"""What of a month's books may be told to everybody: by carrier and flow the places, over the month and below a day.

Of each carrier, every flow that is metered at places is a family of its own (see `floor.py`). Import and export are
metered at a boundary and close the row: with all but one flow of a place they give that one, and with all of them what
silent meters used. So they are told where every flow that stands there is told, and silence fits the floor as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from quintet.registry import Registry
from quintet.registry.timeline import clip, segments
from quintet.registry.tree import LEVELS, ROOT
from quintet.terms.amount import Ints
from quintet.terms.period import MINUTE_US, edges_between

from .day_sums import PlaceDays, place_days
from .floor import Flow, Silence, by_customer, fine_fits, floor, month_fits, settle, silence_fits
from .flows import BOUNDARY, placed, unmetered
from .sets import Amounts, Asked, Mask

Carrier = tuple[str, str]
"""Commodity and quantity."""
USE = "consumption"
LOCAL = ("local_generation", "conversion_in", "conversion_out", "storage_discharge", "storage_charge", USE)
"""The flows that are metered at places and add up the tree."""
OPEN = "open_data"
"""The key by which a place says that its own meters are no private customer's, and why."""


@dataclass(frozen=True, slots=True)
class Told:
    """The places at which a carrier's flows are told, with how many customers; `withdrawn`: for the sake of others.

    `whole`: those told with all flows, boundary and rest as well; `books`: those of them whose renewable part may be
    told apart.
    """

    customers: Mapping[str, Mapping[str, int]]
    withdrawn: Mapping[str, frozenset[str]]
    whole: frozenset[str]
    books: frozenset[str]


@dataclass(frozen=True)
class MonthFloor:
    """What may be told of a month; `stands` are the places at which a flow has any meter, there or below."""

    places: list[str]
    carriers: list[Carrier]
    stands: Mapping[tuple[Carrier, str], frozenset[str]]
    month: Mapping[Carrier, Told]
    fine: Mapping[Carrier, Told]

    @cached_property
    def whole_books(self) -> tuple[frozenset[str], frozenset[str]]:
        """Name the places of which every carrier is told whole: over the month, and below a day."""
        out: list[frozenset[str]] = []
        for told in (self.month, self.fine):
            lacking = [self.stands[carrier, ""] - told[carrier].books for carrier in self.carriers]
            out.append(frozenset(self.places).difference(*lacking) if self.carriers else frozenset())
        return out[0], out[1]


class _Tree:
    """The places of which something is told: all above dwellings, parents before children, by number."""

    def __init__(self, registry: Registry) -> None:
        tree = registry.tree
        self._tree = tree
        self.places = [one for one in tree.walk(ROOT) if tree.bodies[one]["level"] != LEVELS[-1]]
        self.number = {place: at for at, place in enumerate(self.places)}
        self.open = frozenset(place for place, body in tree.bodies.items() if body.get(OPEN))
        self.parent = np.array([self._above(place) for place in self.places], np.int64)

    def _above(self, place: str) -> int:
        path = self._tree.path(place)[1:]
        return next((self.number[one] for one in path if one in self.number), -1)

    def home(self, place: str) -> int:
        """Give the lowest told place that holds a place; one that nobody described is the city's."""
        return next((self.number[one] for one in self._tree.path(place) if one in self.number), 0)

    def at_or_above(self, homes: set[int]) -> frozenset[str]:
        """Name places and all above them."""
        found: set[int] = set()
        for here in homes:
            at = here
            while at >= 0 and at not in found:
                found.add(at)
                at = int(self.parent[at])
        return self.named(found)

    def named(self, numbers: set[int]) -> frozenset[str]:
        """Name places by number."""
        return frozenset(self.places[at] for at in numbers)


@dataclass(frozen=True)
class _Meters:
    """A month's meters as the floor sees them: place and customer of each, by number, and which rows are what."""

    days: PlaceDays
    home: Ints
    customer: Ints
    rows: Mapping[tuple[Carrier, str, bool], Ints]
    """Row numbers by carrier, flow and whether it is renewable."""
    private: Mask

    @classmethod
    def of(cls, tree: _Tree, days: PlaceDays, owner: "_Owner", labels: dict[str, int]) -> "_Meters":
        """Read a month; `labels` numbers the customers."""
        names = [str(place) for place in days.rows["place"].to_pylist()]
        rows: dict[tuple[Carrier, str, bool], list[int]] = {}
        columns = (days.rows[name].to_pylist() for name in ("commodity", "quantity", "flow", "renewable"))
        for at, (commodity, quantity, flow, renewable) in enumerate(zip(*columns, strict=True)):
            rows.setdefault(((commodity, quantity), flow, renewable), []).append(at)
        return cls(
            days,
            np.array([tree.home(place) for place in names], np.int64),
            np.array([labels.setdefault(owner(place), len(labels)) for place in names], np.int64),
            {key: np.array(own, np.int64) for key, own in rows.items()},
            np.array([place not in tree.open for place in names], np.bool_),
        )

    def of_flow(self, carrier: Carrier, flow: str, kinds: tuple[bool, ...] = (False, True)) -> Ints:
        """Give the rows of a flow, open places' too; `kinds`: renewable or not."""
        found = [self.rows[carrier, flow, kind] for kind in kinds if (carrier, flow, kind) in self.rows]
        return np.sort(np.concatenate(found)) if found else np.zeros(0, np.int64)

    def flow(self, rows: Ints) -> Flow:
        """Give the private ones of some rows as a flow; a meter of which nothing was heard is in no sum."""
        days, rows = self.days, rows[self.private[rows]]
        rows = rows[(days.arrived_min[rows] + days.estimated_min[rows]).any(axis=1)]
        heard = days.arrived_min[rows] + days.estimated_min[rows] > 0
        complete = heard & (days.whole[rows] | ~np.isnan(days.estimated[rows]))
        return Flow(self.home[rows], self.customer[rows], days.value[rows], heard, complete)


def month_floor(asked: Asked, first: date, last: date) -> MonthFloor:
    """Decide for a month's local days, both included, of what is known at the moment asked for."""
    registry, tree = asked.registry, _Tree(asked.registry)
    days = place_days(asked, ROOT, first, last)
    _, edges = edges_between(first, last, registry.tz)
    minutes = np.diff(edges) // MINUTE_US
    owner, labels = _Owner(registry, int(edges[0]), int(edges[-1])), dict[str, int]()
    meters = _Meters.of(tree, days, owner, labels)
    boundary = boundaries(registry, tree.number, int(edges[0]), int(edges[-1]))
    absent: dict[Carrier, list[tuple[int, int]]] = {}
    for place, commodity, quantity in unmetered(registry):
        if place not in tree.open:
            one = (tree.home(place), labels.setdefault(owner(place), len(labels)))
            absent.setdefault((commodity, quantity), []).append(one)
    every = sorted({*(key[0] for key in meters.rows), *(carrier for _, carrier in boundary)})
    stands: dict[tuple[Carrier, str], frozenset[str]] = {}
    month: dict[Carrier, Told] = {}
    fine: dict[Carrier, Told] = {}
    for carrier in every:
        held = {name: own for name in LOCAL if len(own := meters.of_flow(carrier, name))}
        metered = {tree.number[place] for place, one in boundary if one == carrier}
        for name, own in held.items():
            stands[carrier, name] = tree.at_or_above(set(meters.home[own].tolist()))
        stands[carrier, ""] = tree.at_or_above(metered).union(*(stands[carrier, name] for name in held))
        silence = _silences(tree, meters, carrier, minutes, absent.get(carrier, []))
        month[carrier], fine[carrier] = _told(tree, meters, carrier, silence, metered, stands)
    return MonthFloor(tree.places, every, stands, month, fine)


def _told(
    tree: _Tree,
    meters: _Meters,
    carrier: Carrier,
    silence: tuple[Silence, Silence],
    metered: set[int],
    stands: Mapping[tuple[Carrier, str], frozenset[str]],
) -> tuple[Told, Told]:
    """Choose a carrier's places over the month, then among them those below a day."""
    limits = floor()
    flows = {name: meters.flow(meters.of_flow(carrier, name)) for name in LOCAL if (carrier, name) in stands}
    parts = [
        meters.flow(meters.of_flow(carrier, name, (kind,)))
        for name in flows
        if all((carrier, name, kind) in meters.rows for kind in (False, True))
        for kind in (False, True)
    ]
    out: list[Told] = []
    among: dict[str, set[int]] = {}
    whole: set[int] | None = None
    for is_fine, least in ((False, limits.customers), (True, limits.customers_fine)):
        fits = fine_fits if is_fine else month_fits
        found = {
            name: settle(tree.parent, flow.home, fits(limits, flow), among.get(name)) for name, flow in flows.items()
        }
        chosen = {name: one.told for name, one in found.items()}
        rows = _whole(tree, chosen, stands, carrier, whole)
        own = silence[is_fine]
        quiet = settle(tree.parent, own.home, silence_fits(limits, least, own), rows & metered).told
        whole = {at for at in rows if at in quiet or at not in metered}
        books = whole.intersection(*(settle(tree.parent, one.home, fits(limits, one)).told for one in parts))
        counts = {
            name: {place: _count(tree, flows[name], at) for at in sorted(places) if (place := tree.places[at]) in here}
            for name, places in chosen.items()
            if (here := stands[carrier, name])
        }
        withdrawn = {name: tree.named(one.withdrawn) for name, one in found.items()}
        out.append(Told(counts, withdrawn, tree.named(whole), tree.named(books)))
        among = chosen
    return out[0], out[1]


def _whole(
    tree: _Tree,
    chosen: Mapping[str, set[int]],
    stands: Mapping[tuple[Carrier, str], frozenset[str]],
    carrier: Carrier,
    among: set[int] | None,
) -> set[int]:
    """Name the places whose every flow is told; without any metered use only a place that is open stands for itself."""
    out: set[int] = set()
    for at, place in enumerate(tree.places):
        if (among is not None and at not in among) or place not in stands[carrier, ""]:
            continue
        here = [name for name in LOCAL if place in stands.get((carrier, name), ())]
        if all(at in chosen[name] for name in here) and (USE in here or place in tree.open):
            out.add(at)
    return out


def _count(tree: _Tree, flow: Flow, at: int) -> int:
    """Count the private customers of a flow in a place."""
    below = {at}
    for one in range(at + 1, len(tree.places)):
        if int(tree.parent[one]) in below:
            below.add(one)
    return len(set(flow.customer[np.isin(flow.home, sorted(below))].tolist()))


def boundaries(registry: Registry, places: Mapping[str, int], start_us: int, end_us: int) -> set[tuple[str, Carrier]]:
    """Name the places with a meter at their boundary in a span, and of which carrier."""
    rows = placed(registry)
    columns = ("place", "flow", "commodity", "quantity", "start_us", "end_us")
    return {
        (place, (commodity, quantity))
        for place, flow, commodity, quantity, start, end in zip(
            *(rows[name].to_pylist() for name in columns), strict=True
        )
        if flow in BOUNDARY and place in places and start < end_us and end > start_us
    }


class _Owner:
    """Names the customer of a place: a dwelling, whoever has several of them, or the place itself."""

    def __init__(self, registry: Registry, start_us: int, end_us: int) -> None:
        self._premises: dict[str, str] = {}
        holding: dict[str, list[str]] = {}
        for premise, said in sorted(registry.timelines("occupancy").items()):
            for part in clip(segments(said), start_us, end_us):
                holding.setdefault(str(part.body["occupant"]), []).append(premise)
        for occupant, premises in sorted(holding.items()):
            if len(set(premises)) > 1:
                for premise in premises:
                    self._premises.setdefault(premise, f"\x00{occupant}")

    def __call__(self, place: str) -> str:
        return self._premises.get(place, place)


def _silences(
    tree: _Tree, meters: _Meters, carrier: Carrier, minutes: Ints, absent: list[tuple[int, int]]
) -> tuple[Silence, Silence]:
    """Give what was not heard of a carrier's use, over the month and by day.

    `absent` are (place, customer) that should have a meter and have none.
    """
    rows = meters.of_flow(carrier, USE)
    use, rows, days = meters.flow(rows), rows[meters.private[rows]], meters.days
    rows = rows[days.expected_min[rows].any(axis=1)]
    owed = np.maximum(days.expected_min[rows] - days.arrived_min[rows] - days.estimated_min[rows], 0)
    more = np.array(absent, np.int64).reshape(-1, 2)
    missing = np.concatenate([owed, np.tile(minutes, (len(more), 1))])
    home = np.concatenate([meters.home[rows], more[:, 0]])
    who = np.concatenate([meters.customer[rows], more[:, 1]])
    over = Flow(use.home, use.customer, use.value.sum(axis=1)[:, None], use.heard[:, :1], use.complete[:, :1])
    total = np.array([int(minutes.sum())], np.int64)
    month = Silence(home, who, missing.sum(axis=1)[:, None], *_largest(tree, over), total)
    # an hour of silence is to an hour's sum what a day of it is to the day's
    return month, Silence(home, who, np.where(missing > 0, minutes, 0), *_largest(tree, use), minutes)


def _largest(tree: _Tree, use: Flow) -> tuple[Amounts, Amounts]:
    """Give by place the largest customer's use and the sum of all."""
    count, width = len(tree.places), use.value.shape[1]
    largest, total = (np.zeros((count, width), use.value.dtype) for _ in range(2))
    rows: list[Ints] = [np.flatnonzero(use.home == at) for at in range(count)]
    for at in range(count - 1, -1, -1):
        mine = rows[at]
        if len(mine):
            amounts = by_customer(use.customer[mine], use.value[mine])
            largest[at], total[at] = np.abs(amounts).max(axis=0), amounts.sum(axis=0)
        if int(tree.parent[at]) >= 0:
            above = int(tree.parent[at])
            rows[above] = np.concatenate([rows[above], mine])
    return largest, total
