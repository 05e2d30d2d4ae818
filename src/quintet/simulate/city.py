"""The simulated city: readings as its meters show them, and the truth behind them, day by day.

Readings and truth of a day depend on the plan and the day alone. Days asked in order cost nothing extra; out of order
the daily totals before them are drawn again (see `demand`). Sites are made by threads: numpy leaves the interpreter's
lock, and each site's chance is its own, so the number of threads changes nothing.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.tables import FLOW_NAMES, MOMENT

from .balance import Balance
from .climate import weather_of
from .demand import Day, Demand, Leak
from .faults import RUNNING, Fault, draw
from .frame import Frame, inject, make_frame
from .layout import CITY, Site, build
from .metering import Metering, meter_up, names_of, start_counts, used_before
from .papers import faults_table, meters_table, settings_of
from .plan import STEP_US, CityPlan, Floats, Ints
from .supply import supply

T = TypeVar("T")
THREADS = 2
"""Measured on 4 cores with other work on them: 18 million readings a second with one, 20 to 23 with two, 16 with four
(they wait for the interpreter's lock and for fresh memory).
"""
NAME = pa.dictionary(pa.int32(), pa.string())
READING_ROWS = pa.schema([("site", NAME), ("meter", NAME), ("ts_utc", MOMENT), ("value", pa.float64())])
CHANNEL_TRUTH = pa.schema([("site", NAME), ("meter", NAME), ("start", MOMENT), ("value", pa.int64())])
TRUTH = pa.schema(
    [("start", MOMENT), *((name, pa.string()) for name in ("commodity", "quantity", "flow")), ("value", pa.int64())]
)
TRUTH_FLOWS = (*(flow for flow in FLOW_NAMES if flow != "known_loss"), "loss")


class SimulatedCity:
    """A city that never was. Tables are in the dataset layout; truth is in whole sub-units (mWh, mL)."""

    def __init__(self, plan: CityPlan, threads: int | None = None) -> None:
        """Lay out the city and draw its faults; readings are made when asked for."""
        self.plan = plan
        self._pool = ThreadPoolExecutor(threads or THREADS, "simulate")
        self._sites = build(plan)
        self._position = {site.number: i for i, site in enumerate(self._sites)}
        self._by_number = {site.number: site for site in self._sites}
        drawn = draw(plan, self._sites)
        leaks: dict[int, list[Leak]] = {}
        for fault in drawn:
            if fault.kind in RUNNING:
                leak = Leak(fault.row, fault.start_us, fault.end_us, int(fault.magnitude))
                leaks.setdefault(fault.site, []).append(leak)
        self._demand = Demand(plan, leaks)
        self._names = names_of(self._sites)
        self._site_names = pa.array([site.code for site in self._sites])
        self._meter_names = pa.array(list(self._names))
        self._held: dict[int, float] = {}
        by_site: dict[int, list[Fault]] = {}
        for fault in drawn:
            by_site.setdefault(fault.site, []).append(fault)
        # Without threads: the steps are so small that waiting for the interpreter's lock costs more than they do.
        made = [self._equip(site, by_site.get(site.number, [])) for site in self._sites]
        self._metering = {site.number: metering for site, (metering, _) in zip(self._sites, made, strict=True)}
        self._faults = {site.number: kept for site, (_, kept) in zip(self._sites, made, strict=True)}

    def _equip(self, site: Site, faults: list[Fault]) -> tuple[Metering, list[Fault]]:
        """Set up a site's meters."""
        before = used_before(site, faults, self._demand)
        start, kept = start_counts(site, faults, self._demand, before)
        return meter_up(self.plan, site, start, kept, before, self._names), kept

    def _each(self, work: Callable[[Site], T], sites: list[Site]) -> list[T]:
        """Do something for each site, by threads, results in order."""
        return list(self._pool.map(work, sites))

    # What the city is.

    @cached_property
    def meters(self) -> pa.Table:
        """All meters in the dataset layout, sorted by site and meter."""
        return meters_table(self.plan, [(site, self._metering[site.number].meters) for site in self._sites])

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What the dataset's city.toml holds: names, places, plants, storage."""
        return settings_of(self.plan, self._sites)

    @cached_property
    def faults(self) -> pa.Table:
        """The faults' ground truth: site, meter, kind, start, end, magnitude (see faults.toml).

        Stamps in [start, end) are concerned; a rollover starts with the first reading after it.
        """
        located = [
            fault if fault.kind != "rollover" else self._rolled(fault)
            for site in self._sites
            for fault in self._faults[site.number]
        ]
        return faults_table(self._by_number, located)

    def weather(self, day: date) -> pa.Table:
        """Weather of a local day by quarter hour: site, ts_utc, temp_c, rh_pct, ghi_raw (W/m2)."""
        made = weather_of(self.plan, day)
        self.plan.number(day)
        return pa.table(
            {
                "site": pa.array([CITY] * len(made.starts_us)),
                "ts_utc": _moments(made.starts_us),
                "temp_c": np.round(made.temp_c, 1),
                "rh_pct": np.round(made.rh_pct, 0),
                "ghi_raw": np.round(made.ghi_w_m2, 1),
            }
        )

    # What its meters show.

    def readings(self, day: date) -> pa.Table:
        """Give the readings of a local day that arrive in time: site, meter, ts_utc, value; sorted by these.

        Interval sums are stamped by their start; registers at each quarter hour after the day's start up to the next
        day's, on the plan's first day at its start too.
        """
        today = self._demand.day(self.plan.number(day))
        uses = self._uses(today)
        return pa.Table.from_batches(
            self._each(lambda site: self._shown(site, uses[site.number], today), self._sites), READING_ROWS
        )

    def late(self, day: date) -> pa.Table:
        """Give the readings of earlier days that arrive on `day`, in the form of `readings`."""
        number = self.plan.number(day)
        asked = sorted(
            {
                (site_no, fault.day)
                for site_no, faults in self._faults.items()
                for fault in faults
                if fault.kind == "late" and fault.day + int(fault.magnitude) == number
            },
            key=lambda pair: (self._by_number[pair[0]].code, pair[1]),
        )
        batches: list[pa.RecordBatch] = []
        for site_no, origin in asked:
            today, site = self._demand.day(origin), self._by_number[site_no]
            frame = self._frame(site, self._demand.course(site, today), today)
            batches.append(self._batch(site, *frame.columns(frame.late_on(number))))
        found = pa.Table.from_batches(batches, READING_ROWS)
        # Arrow sorts no dictionaries; names are few here and are spelt out for it.
        spelt = found.cast(pa.schema([("site", pa.string()), ("meter", pa.string()), *list(READING_ROWS)[2:]]))
        keys = [(name, "ascending") for name in ("site", "meter", "ts_utc")]
        return found.take(pc.sort_indices(spelt, sort_keys=keys))

    # The truth.

    def truth(self, day: date) -> pa.Table:
        """Give the city's totals by quarter hour: start, commodity, quantity, flow, value.

        Per commodity and quarter hour import + local_generation + conversion_out + storage_discharge equals
        consumption + conversion_in + storage_charge + export + loss, to the last sub-unit.
        """
        today = self._demand.day(self.plan.number(day))
        flows = self._balance(today, self._uses_of_drawn(today)).flows
        starts = today.edges[:-1]
        quantity = {row.meter.carrier: row.meter.quantity for site in self._sites for row in site.rows}
        parts = [
            pa.table(
                [_moments(starts), *(pa.repeat(text, len(starts)) for text in (carrier, quantity[carrier], flow)),
                 pa.array(flows[carrier, flow])],
                schema=TRUTH,
            )
            for carrier in supply().carriers
            for flow in TRUTH_FLOWS
            if (carrier, flow) in flows
        ]  # fmt: skip
        return pa.concat_tables(parts)

    def channel_truth(self, day: date) -> pa.Table:
        """Give what really flowed through each meter: site, meter, start, value (whole sub-units an interval)."""
        today = self._demand.day(self.plan.number(day))
        uses = self._uses(today)
        return pa.Table.from_batches(
            self._each(lambda site: self._flowed(site, uses[site.number], today), self._sites), CHANNEL_TRUTH
        )

    # How a day is made.

    def _uses_of_drawn(self, today: Day) -> dict[int, Floats]:
        """Make each site's use of the day, by site number; the city's derived meters are still empty."""
        made = self._each(lambda site: self._demand.course(site, today), self._sites)
        return {site.number: use for site, use in zip(self._sites, made, strict=True)}

    def _balance(self, today: Day, uses: dict[int, Floats]) -> Balance:
        """Sum the sites' uses and close the books."""

        def sums_of(site: Site) -> dict[tuple[str, str], Ints]:
            use = uses[site.number]
            keys = {key: rows[site.drawn[rows] | (site.kind != CITY)] for key, rows in site.groups.items()}
            return {k: np.diff(use[rows].sum(axis=0)).astype(np.int64) for k, rows in keys.items() if len(rows)}

        total: dict[tuple[str, str], Ints] = {}
        for sums in self._each(sums_of, self._sites):
            for key, value in sums.items():
                total[key] = total[key] + value if key in total else value
        return Balance(self.plan, today, total)

    def _uses(self, today: Day) -> dict[int, Floats]:
        """Give each site's use of the day [row, n + 1] by site number, derived meters included."""
        uses = self._uses_of_drawn(today)
        books = self._balance(today, uses)
        for site in self._sites:
            if site.kind == CITY:
                for i, row in enumerate(site.rows):
                    if row.name in books.meters:
                        uses[site.number][i, 1:] = np.cumsum(books.meters[row.name])
        return uses

    def _frame(self, site: Site, use: Floats, today: Day) -> Frame:
        """Show a site's use on its meters, faults and all."""
        channels = self._metering[site.number].channels
        opened = self._demand.opened(site, today.number)
        frame = make_frame(site, channels, today, opened, use, first_day=today.number == 0)
        begin, end = today.edges[[0, -1]].tolist()
        faults = [f for f in self._faults[site.number] if f.start_us <= end and f.end_us > begin]
        inject(frame, channels, today, faults, self._held_by)
        return frame

    def _held_by(self, fault: Fault) -> float:
        """Give the steps that a fault of an earlier day holds: the reading before its start."""
        known = self._held.get(fault.number)
        if known is None:
            site, today = self._by_number[fault.site], self._demand.day(fault.day)
            channels = self._metering[site.number].channels
            opened = self._demand.opened(site, today.number)
            frame = make_frame(site, channels, today, opened, self._demand.course(site, today), first_day=True)
            at = int(np.searchsorted(today.edges, fault.start_us)) - 1
            known = self._held[fault.number] = float(
                frame.steps[np.searchsorted(frame.channel, channels.first[fault.row]), at]
            )
        return known

    def _rolled(self, fault: Fault) -> Fault:
        """Find the reading at which a planned rollover shows."""
        site, today = self._by_number[fault.site], self._demand.day(fault.day)
        offset = self._metering[site.number].channels
        count = offset.offset[offset.first[fault.row]] + self._demand.opened(site, fault.day)[fault.row]
        steps = np.floor((self._demand.course(site, today)[fault.row] + count) / site.step[fault.row])
        at = int(np.argmax(steps >= site.wrap[fault.row]))
        start = int(today.edges[at])
        return Fault(
            fault.site, fault.row, fault.kind, start, start + STEP_US, fault.magnitude, fault.day, fault.number
        )

    def _shown(self, site: Site, use: Floats, today: Day) -> pa.RecordBatch:
        """Make a site's readings of the day."""
        frame = self._frame(site, use, today)
        return self._batch(site, *frame.columns(frame.keep))

    def _batch(self, site: Site, names: np.ndarray[Any, Any], stamps: Ints, values: Floats) -> pa.RecordBatch:
        """Pack readings."""
        sites = self._site_column(site, len(values))
        meters = pa.DictionaryArray.from_arrays(pa.array(names), self._meter_names)
        return pa.RecordBatch.from_arrays([sites, meters, _moments(stamps), pa.array(values)], schema=READING_ROWS)

    def _site_column(self, site: Site, count: int) -> pa.Array:
        """Give a column that names the site."""
        codes = np.full(count, self._position[site.number], np.int32)
        return pa.DictionaryArray.from_arrays(pa.array(codes), self._site_names)

    def _flowed(self, site: Site, use: Floats, today: Day) -> pa.RecordBatch:
        """Make a site's truth of the day."""
        channels, starts = self._metering[site.number].channels, today.edges[:-1]
        keep = (starts >= channels.since_us[:, None]) & (starts < channels.until_us[:, None])
        amounts = np.diff(use, axis=1).astype(np.int64)[channels.row]
        names = np.repeat(channels.name, keep.sum(axis=1))
        stamps = np.broadcast_to(starts, keep.shape)[keep]
        meters = pa.DictionaryArray.from_arrays(pa.array(names), self._meter_names)
        columns = [self._site_column(site, len(names)), meters, _moments(stamps), pa.array(amounts[keep])]
        return pa.RecordBatch.from_arrays(columns, schema=CHANNEL_TRUTH)


def _moments(microseconds: Ints) -> pa.Array:
    """Give microseconds since 1970 as Arrow moments, without a copy."""
    return pa.array(np.ascontiguousarray(microseconds)).view(MOMENT)


def simulate_city(plan: CityPlan, threads: int | None = None) -> SimulatedCity:
    """Make the city of a plan; `threads` is 2 unless given: more were not faster."""
    return SimulatedCity(plan, threads)
