"""Networks as sets of channels: what the head of each feeder shows, and what hangs below it, each counted once.

Below a feeder hang its places, usage points and child feeders. A child counts by its head and nothing below it counts
again; a feeder whose places all lie in those of a larger one of its commodity is its child, whether or not that is
said. A place whose own boundary is metered (an import of the commodity) counts by that boundary, import less export;
any other by what its meters use less what its plants and storages give, down to the premises. A head meter is never
counted as something below. Of a head that is a place's import, the exports of that place go back through it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Feeder, Registry
from quintet.registry.timeline import last_body
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.tables import PLACEMENTS

from .flows import BOUNDARY, clipped, on_grid, placed

HEAD, BELOW = "head", "below"
TAKEN = {"consumption": 1, "conversion_in": 1, "import": 1, "site_import": 1}
"""Flows that take from a network; all others give to it (a storage's discharge counts as positive)."""


class Row(NamedTuple):
    """A channel for a while: where it stands ("" where it counts nowhere) and as what."""

    channel: int
    place: str
    usage_point: str
    flow: str
    sign: int
    commodity: str
    quantity: str
    cadence_min: int
    start_us: int
    end_us: int


@dataclass
class Network:
    """One feeder over all its stretches; `heads` and `below` are rows with the sign by which they count in it.

    `unlike` tells that something below is metered in another quantity than the head, so that no sum is one.
    """

    id: str
    commodity: str
    quantity: str
    level: str
    place: str
    parent: str
    source: str
    stands: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    heads: list[Row] = field(default_factory=list[Row])
    below: list[Row] = field(default_factory=list[Row])
    children: set[str] = field(default_factory=set[str])
    unlike: bool = False

    @property
    def cadence_min(self) -> int:
        """The longest interval of its meters."""
        return max((row.cadence_min for row in (*self.heads, *self.below)), default=1)


class Networks:
    """All feeders of one registry, resolved to channels; made once for a registry, which never changes."""

    def __init__(self, registry: Registry) -> None:
        """Resolve every feeder, stretch by stretch, children before the feeders they hang on."""
        self._registry = registry
        self._feeders = registry.feeders()
        self.rows: dict[str, Network] = {}
        self._counted: dict[str, list[Network]] = {}
        self._within: dict[str, set[str]] = {}
        for commodity in sorted({feeder.commodity for feeder in self._feeders}):
            own = [feeder for feeder in self._feeders if feeder.commodity == commodity]
            cuts = sorted({moment for feeder in own for moment in (feeder.start_us, feeder.end_us)})
            for start, end in pairwise(cuts):
                active = {one.id: one for one in own if one.start_us <= start < one.end_us}
                _Stretch(self, active, start, end).resolve()

    def network(self, feeder: Feeder, quantity: str, parent: str) -> Network:
        """Give a feeder's network, made when it is first met; what is said of it is what was said last."""
        found = self.rows.get(feeder.id)
        if found is None:
            found = Network(feeder.id, feeder.commodity, quantity, "", "", "", "")
            self.rows[feeder.id] = found
        found.level, found.place, found.source, found.parent = feeder.level, feeder.place, feeder.source, parent
        return found

    def within(self, place: str) -> set[str]:
        """Give a place and all below it."""
        found = self._within.get(place)
        if found is None:
            found = self._within[place] = self._registry.tree.descendants(place)
        return found

    def children_of(self, place: str) -> list[str]:
        """Give the places directly below one."""
        return self._registry.tree.children(place)

    @cached_property
    def by_place(self) -> Mapping[str, list[Row]]:
        """What counts at each place itself."""
        return self._grouped("place")

    @cached_property
    def by_point(self) -> Mapping[str, list[Row]]:
        """What counts at each usage point."""
        return self._grouped("usage_point")

    def _grouped(self, name: str) -> dict[str, list[Row]]:
        out: dict[str, list[Row]] = {}
        commodities = pa.array(sorted({feeder.commodity for feeder in self._feeders}), pa.string())
        table = placed(self._registry)
        table = table.filter(pc.is_in(table["commodity"], commodities)).select(list(Row._fields))
        for values in zip(*(column.to_pylist() for column in table.columns), strict=True):
            row = Row._make(values)
            out.setdefault(getattr(row, name), []).append(row)
        return out

    @cached_property
    def standing(self) -> Mapping[str, Row]:
        """Every channel by name as it stands of itself, whether or not it counts anywhere."""
        table = self._registry.channels()
        names = ("channel", "name", "usage_point", "commodity", "quantity", "cadence_min")
        columns = [table[name].to_pylist() for name in names]
        ends = [table[name].cast(pa.int64()).to_pylist() for name in ("installed", "removed")]
        return {
            name: Row(
                channel, "", point, "", 1, commodity, quantity, cadence,
                ALWAYS if start is None else start, FOREVER if end is None else end,
            )
            for channel, name, point, commodity, quantity, cadence, start, end in zip(*columns, *ends, strict=True)
        }  # fmt: skip

    @cached_property
    def followers(self) -> Mapping[str, list[str]]:
        """Which channels replaced each channel."""
        out: dict[str, list[str]] = {}
        for name, said in self._registry.timelines("channel").items():
            body = last_body(said)
            if body is not None and "replaces" in body:
                out.setdefault(body["replaces"], []).append(name)
        return out

    def chain(self, names: Iterable[str]) -> Iterator[Row]:
        """Give the channels of some names and all that replaced them; an unknown name gives none."""
        waiting, seen = list(names), set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.standing:
                continue
            seen.add(name)
            yield self.standing[name]
            waiting += self.followers.get(name, ())

    def table(self, chosen: Iterable[Network]) -> pa.Table:
        """Give the rows of networks on their channels' grids: PLACEMENTS with clip, `place` the network's id."""
        columns: dict[str, list[object]] = {name: [] for name in PLACEMENTS.names}
        for network in chosen:
            for flow, rows in ((HEAD, network.heads), (BELOW, network.below)):
                for row in rows:
                    said = {**row._asdict(), "place": network.id, "flow": flow, "renewable": False}
                    for name, values in columns.items():
                        values.append(said[name])
        table = pa.table({name: pa.array(columns[name], PLACEMENTS.field(name).type) for name in columns})
        return clipped(on_grid(self._registry, table), 0)

    def counted_in(self, place: str) -> list[Network]:
        """Give the networks whose loss the books of a place hold.

        The network's place and all that hangs below must lie in it, and the head must be none of its own supply or
        use: of such a network head less below is the closure error itself, and stays there.
        """
        known = self._counted.get(place)
        if known is None:
            inside = self._registry.tree.descendants(place)
            fine: dict[str, bool] = {}
            known = [one for one in self.rows.values() if self._counts(one, place, inside, fine)]
            self._counted[place] = known
        return known

    def _counts(self, network: Network, place: str, inside: set[str], fine: dict[str, bool]) -> bool:
        known = fine.get(network.id)
        if known is None:
            heads = {row.channel for row in network.heads}
            below = [row for row in network.below if row.flow != HEAD]
            known = (
                network.place in inside
                and bool(network.below)
                and all(_strictly_in(row, place, inside) for row in below)
            )
            known = known and not any(self._counted_at(channel, place, inside) for channel in heads)
            known = known and all(self._counts(self.rows[c], place, inside, fine) for c in network.children)
            fine[network.id] = known
        return known

    def _counted_at(self, channel: int, place: str, inside: set[str]) -> bool:
        """Tell whether a channel counts in the books of a place."""
        rows = self.by_channel.get(channel, ())
        return any(row.place == place if row.flow in BOUNDARY else row.place in inside for row in rows)

    @cached_property
    def by_channel(self) -> Mapping[int, list[Row]]:
        """What each channel counts as."""
        out: dict[int, list[Row]] = {}
        for rows in self.by_place.values():
            for row in rows:
                out.setdefault(row.channel, []).append(row)
        return out


def _strictly_in(row: Row, place: str, inside: set[str]) -> bool:
    return row.place in inside and not (row.flow in BOUNDARY and row.place == place)


class _Stretch:
    """The feeders of one commodity over a stretch in which none of them changes."""

    def __init__(self, networks: Networks, active: Mapping[str, Feeder], start: int, end: int) -> None:
        self._networks = networks
        self._active = active
        self._start, self._end = start, end
        self._children = {one.id: [child for child in one.feeders if child in active] for one in active.values()}
        self._parents = {child: name for name, children in self._children.items() for child in children}
        for name in sorted(active.keys() - self._parents.keys()):
            parent = self._nested_in(active[name])
            if parent is not None:
                self._parents[name] = parent
                self._children[parent].append(name)
        self._heads = {one.id: self._head(one) for one in active.values()}
        self._meters: dict[str, set[int]] = {}
        self._covered: dict[str, set[tuple[int, int]]] = {}

    def _nested_in(self, feeder: Feeder) -> str | None:
        """Find the smallest feeder in whose places all places of another lie: what feeds a part hangs on the whole."""
        if not feeder.places:
            return None
        found: list[tuple[int, str]] = []
        for other in self._active.values():
            inside = {here for place in other.places for here in self._networks.within(place)}
            if inside.issuperset(feeder.places) and set(other.places) != set(feeder.places):
                found.append((len(inside), other.id))
        return min(found)[1] if found else None

    def _metering(self, name: str) -> set[int]:
        """Give the head channels of a feeder and of all that hang on it."""
        if name not in self._meters:
            own = {row.channel for row in self._heads[name]}
            self._meters[name] = own.union(*(self._metering(child) for child in self._children[name]))
        return self._meters[name]

    def resolve(self) -> None:
        """Resolve each feeder, its children first."""
        for name in sorted(self._active):
            self._resolve(name)

    def _resolve(self, name: str) -> set[tuple[int, int]]:
        """Resolve a feeder unless that is done; give (channel, start) of all that hangs below it at any depth."""
        if name in self._covered:
            return self._covered[name]
        feeder, heads = self._active[name], self._heads[name]
        quantity = heads[0].quantity if heads else ""
        network = self._networks.network(feeder, quantity, self._parents.get(name, ""))
        network.stands.append((self._start, self._end))
        network.heads += heads
        taken: set[tuple[int, int]] = set()
        for child in self._children[name]:
            if self._parents[child] == name:
                taken |= self._resolve(child)
                network.children.add(child)
                network.below += [row._replace(flow=HEAD) for row in self._heads[child]]
        own: dict[tuple[int, int], list[Row]] = {}
        for row in self._members(feeder, network):
            if (row.channel, row.start_us) not in taken:
                own.setdefault((row.channel, row.start_us), []).append(row)
        network.below += [row for rows in own.values() for row in dict.fromkeys(rows)]
        self._covered[name] = taken | own.keys()
        return self._covered[name]

    def _head(self, feeder: Feeder) -> list[Row]:
        """Give a feeder's head: its supply, less what goes back; a meter of another commodity heads nothing."""
        supply, back = (
            [row for row in self._cut(self._networks.chain(named)) if row.commodity == feeder.commodity]
            for named in (feeder.supply, feeder.returns)
        )
        out = [row._replace(flow=HEAD) for row in supply] + [row._replace(flow=HEAD, sign=-1) for row in back]
        held = {row.channel for row in out}
        for row in supply:
            for other in self._networks.by_channel.get(row.channel, ()):
                if BOUNDARY.get(other.flow) == "import":
                    beside = self._cut(self._networks.by_place[other.place])
                    carrier = (row.commodity, row.quantity)
                    exports = [
                        one for one in beside if one.flow == "export" and (one.commodity, one.quantity) == carrier
                    ]
                    out += [one._replace(flow=HEAD, sign=-one.sign) for one in exports if one.channel not in held]
                    held |= {one.channel for one in exports}
        return out

    def _members(self, feeder: Feeder, network: Network) -> Iterator[Row]:
        """Give what hangs on a feeder itself, with the sign by which it takes from the network."""
        for place in feeder.places:
            yield from self._at(place, network)
        for point in feeder.usage_points:
            rows = self._own(self._networks.by_point.get(point, ()), network)
            if not rows:
                named = [row for row in self._networks.standing.values() if row.usage_point == point]
                rows = self._own(named, network)
            yield from map(_taking, rows)

    def _at(self, place: str, network: Network) -> Iterator[Row]:
        """Give what a place takes: by its boundary where that is metered, else by what stands in it."""
        rows = self._own(self._networks.by_place.get(place, ()), network)
        if any(BOUNDARY.get(row.flow) == "import" for row in rows):
            yield from (_taking(row) for row in rows if row.flow in BOUNDARY)
            return
        yield from (_taking(row) for row in rows if row.flow not in BOUNDARY)
        for child in self._networks.children_of(place):
            yield from self._at(child, network)

    def _own(self, rows: Iterable[Row], network: Network) -> list[Row]:
        """Keep the rows of the network's own commodity and quantity; heads are never below."""
        alike: list[Row] = []
        heads = self._metering(network.id)
        for row in self._cut(rows):
            if row.channel not in heads and row.commodity == network.commodity:
                if row.quantity == network.quantity:
                    alike.append(row)
                else:
                    network.unlike = True
        return alike

    def _cut(self, rows: Iterable[Row]) -> list[Row]:
        """Cut rows to the stretch."""
        return [
            row
            if self._start <= row.start_us and row.end_us <= self._end
            else row._replace(start_us=max(row.start_us, self._start), end_us=min(row.end_us, self._end))
            for row in rows
            if max(row.start_us, self._start) < min(row.end_us, self._end)
        ]


def _taking(row: Row) -> Row:
    """Give a row with the sign by which it takes from a network."""
    return row if row.flow in TAKEN or not row.flow else row._replace(sign=-row.sign)


@lru_cache(maxsize=8)
def networks_of(registry: Registry) -> Networks:
    """Give a registry's networks; both never change."""
    return Networks(registry)
