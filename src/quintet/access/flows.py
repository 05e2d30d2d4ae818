"""A place's metered flows per period: closed days from their hourly sums, open ones from the rollups, all as one."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from quintet.registry import Registry
from quintet.store.engine import Engine, Snapshot
from quintet.store.flows import hour_bucket, interval_flows, rollup_flows, stored_flows
from quintet.store.read import day_range
from quintet.terms.amount import Ints
from quintet.terms.period import HOUR_US, MINUTE_US, day_of_number, day_start, to_us
from quintet.terms.reading import ValueKind
from quintet.terms.tables import FLOWS, PLACEMENTS

BOUNDARY = {"import": "import", "export": "export", "site_import": "import"}
"""Flows that cross a place's boundary: they count for the place they are metered at, and for no other."""
HALVES = {"storage": (("storage_discharge", 1), ("storage_charge", -1))}
"""Signed flows, and the two flows that their positive and negative halves are."""
KEY = ("flow", "commodity", "quantity", "renewable")


@dataclass(frozen=True)
class FlowsAnswer:
    """A place's flows (FLOWS, every period and flow that exists there), and how far they can be trusted.

    `boundaries_metered` holds (commodity, quantity) for which an import meter stands at this place's boundary.
    """

    place: str
    flows: pa.Table
    edges: list[datetime]
    boundaries_metered: set[tuple[str, str]]
    known_at: datetime
    rule_set: str


@dataclass(frozen=True)
class Counted:
    """The placements that count for one place: plain ones, and signed ones in their two halves."""

    place: str
    inside: frozenset[str]
    plain: pa.Table
    signed: pa.Table

    @classmethod
    def of(cls, registry: Registry, place: str) -> "Counted":
        """Choose a place's placements: boundary flows metered at it, all others metered at it or below."""
        inside = registry.descendants(place)
        balanced = {code for code, row in registry.commodities.rows.items() if row.balanced}
        rows = clipped(registry.placements(), 0)
        flow = rows["flow"].to_pylist()
        keep = [
            (at == place if name in BOUNDARY else at in inside) and commodity in balanced
            for name, at, commodity in zip(flow, rows["place"].to_pylist(), rows["commodity"].to_pylist(), strict=True)
        ]
        signed = [name in HALVES for name in flow]
        mine = rows.filter(pa.array(np.array(keep, np.bool_) & ~np.array(signed, np.bool_)))
        halved = rows.filter(pa.array(np.array(keep, np.bool_) & np.array(signed, np.bool_)))
        return cls(place, frozenset(inside), renamed(mine), halves_of(halved))

    @property
    def boundaries_metered(self) -> set[tuple[str, str]]:
        """Name (commodity, quantity) with an import meter at this place."""
        rows = zip(*(self.plain[name].to_pylist() for name in ("flow", "commodity", "quantity")), strict=True)
        return {(commodity, quantity) for flow, commodity, quantity in rows if flow == "import"}


def clipped(rows: pa.Table, clip: int) -> pa.Table:
    """Give placements with a clip: 0 counts the whole value, +1 and -1 its positive and negative half."""
    return rows.append_column("clip", pa.array(np.full(rows.num_rows, clip, np.int8)))


def called(rows: pa.Table, names: list[str]) -> pa.Table:
    """Give placements under other flow names."""
    return rows.set_column(rows.column_names.index("flow"), PLACEMENTS.field("flow"), pa.array(names, pa.string()))


def words(column: pa.ChunkedArray) -> list[str]:
    """Give a column of words that is never null."""
    return [str(word) for word in column.to_pylist()]


def renamed(rows: pa.Table) -> pa.Table:
    """Give boundary flows their name in a balance."""
    return called(rows, [BOUNDARY.get(name, name) for name in words(rows["flow"])])


def halves_of(rows: pa.Table) -> pa.Table:
    """Give each signed placement twice, as the two flows that its halves are."""
    parts = [rows.slice(0, 0)]
    for name, halves in HALVES.items():
        own = rows.filter(pa.array([flow == name for flow in rows["flow"].to_pylist()], pa.bool_()))
        for half, clip in halves:
            parts.append(clipped(called(own, [half] * own.num_rows).drop_columns(["clip"]), clip))
    return pa.concat_tables(parts)


def closing_placements(registry: Registry) -> pa.Table:
    """Give the placements whose hourly sums a closing day keeps: all but signed flows, whose halves need intervals."""
    rows = registry.placements()
    return clipped(rows.filter(pa.array([name not in HALVES for name in rows["flow"].to_pylist()], pa.bool_())), 0)


def sums(engine: Engine, snapshot: Snapshot, counted: Counted, edges_us: Ints, known_batch: int | None) -> pa.Table:
    """Sum a place's flows: bucket_us (an hour, or an interval's start where periods cut hours), KEY, value, minutes."""
    low, high = int(edges_us[0]), int(edges_us[-1])
    hourly = bool(np.all((edges_us + engine.hour_phase_us) % HOUR_US == 0))
    bucket = hour_bucket(engine.hour_phase_us) if hourly else "start_us"
    parts = [interval_flows(engine, snapshot, low, high, counted.signed, bucket, known_batch=known_batch)]
    if known_batch is not None or not hourly:
        parts.append(interval_flows(engine, snapshot, low, high, counted.plain, bucket, known_batch=known_batch))
    else:
        stale = stale_days(engine, snapshot, low, high)
        parts.append(stored_flows(engine, snapshot, low, high, counted.place, counted.inside, BOUNDARY, stale))
        spans = [day_bounds(engine.tz, day, low, high) for day in stale]
        parts.append(rollup_flows(snapshot, low, high, counted.plain, spans))
        parts += [interval_flows(engine, snapshot, *span, counted.plain, bucket) for span in spans]
    return pa.concat_tables(part.select(["bucket_us", *KEY, "value", "arrived_min", "estimated_min"]) for part in parts)


def stale_days(engine: Engine, snapshot: Snapshot, low: int, high: int) -> list[int]:
    """List closed days in a range whose hourly sums were made before the registry's last change."""
    first, last = day_range(engine, low, high)
    found = snapshot.rows(
        """select day from closed_day where day between ? and ?
            and registry_batch < (select coalesce(max(batch), 0) from record) order by day""",
        [first, last],
    )
    return [int(row[0]) for row in found]


def day_bounds(tz: ZoneInfo, day: int, low: int, high: int) -> tuple[int, int]:
    """Give a local day's bounds, cut to [low, high)."""
    start, end = (to_us(day_start(day_of_number(number), tz)) for number in (day, day + 1))
    return max(start, low), min(end, high)


def expected_minutes(counted: Counted, edges_us: Ints, now_us: int, events: set[int]) -> dict[tuple[object, ...], Ints]:
    """Count the channel-minutes each flow should have in each period, until now; events are expected of nobody."""
    out: dict[tuple[object, ...], Ints] = {}
    clipped_edges = np.minimum(edges_us, max(now_us, int(edges_us[0])))
    for table in (counted.plain, counted.signed):
        keys = list(zip(*(table[name].to_pylist() for name in KEY), strict=True))
        groups: dict[tuple[object, ...], list[int]] = {}
        for row, (key, channel) in enumerate(zip(keys, table["channel"].to_pylist(), strict=True)):
            groups.setdefault(key, [])
            if channel not in events:
                groups[key].append(row)
        starts, ends = table["start_us"].to_numpy(), table["end_us"].to_numpy()
        for key, rows in groups.items():
            minutes = overlaps(starts[rows], ends[rows], clipped_edges) // MINUTE_US
            out[key] = out[key] + minutes if key in out else minutes
    return out


def overlaps(starts: Ints, ends: Ints, edges_us: Ints) -> Ints:
    """Sum over half-open ranges the time each shares with each period, in microseconds."""
    low, high = edges_us[0], edges_us[-1]
    first = np.sort(np.clip(starts, low, high))
    last = np.sort(np.clip(ends, low, high))
    return np.diff(running(first, edges_us) - running(last, edges_us))


def running(moments: Ints, at: Ints) -> Ints:
    """Give the time that has passed since each of the sorted moments, summed over those that have, at each of `at`."""
    passed = np.searchsorted(moments, at, side="left")
    before = np.concatenate(([0], np.cumsum(moments - moments[0]))) if len(moments) else np.zeros(1, np.int64)
    origin = moments[0] if len(moments) else 0
    return passed * (at - origin) - before[passed]


def flows_table(found: pa.Table, edges: list[datetime], expected: dict[tuple[object, ...], Ints]) -> pa.Table:
    """Arrange sums by period: FLOWS with a row for each period and each flow that exists at the place."""
    edges_us = np.array([to_us(edge) for edge in edges], np.int64)
    count = len(edges) - 1
    period = np.searchsorted(edges_us, found["bucket_us"].to_numpy(), side="right") - 1
    cells: dict[tuple[tuple[object, ...], int], list[int]] = {}
    columns = (found[name].to_pylist() for name in (*KEY, "value", "arrived_min", "estimated_min"))
    for at, *row in zip(period.tolist(), *columns, strict=True):
        cell = cells.setdefault((tuple(row[:4]), at), [0, 0, 0])
        for place, amount in enumerate(row[4:]):
            cell[place] += int(amount)
    out: dict[str, list[object]] = {name: [] for name in FLOWS.names}
    for key, minutes in sorted(expected.items()):
        for at in range(count):
            value, arrived, estimated = cells.get((key, at), (0, 0, 0))
            entry = (edges[at], key[1], key[2], key[0], key[3], value if arrived or estimated else None)
            for name, item in zip(FLOWS.names, (*entry, int(minutes[at]), arrived, estimated), strict=True):
                out[name].append(item)
    return pa.table({name: pa.array(out[name], FLOWS.field(name).type) for name in FLOWS.names}, schema=FLOWS)


def event_channels(registry: Registry) -> set[int]:
    """Name the channels that only speak when something happens: nobody can expect an interval of them."""
    rows = registry.channels()
    kinds = zip(rows["channel"].to_pylist(), rows["value_kind"].to_pylist(), strict=True)
    return {channel for channel, kind in kinds if kind == ValueKind.EVENT_SUM}
