"""The one read path: every answer to a person is asked for here, by someone with a scope."""

from collections.abc import Callable, Generator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Registry
from quintet.registry.rows import Channel
from quintet.registry.tree import ROOT
from quintet.store.book import batch_known_at
from quintet.store.engine import Engine, Snapshot
from quintet.store.exceptions import Item
from quintet.store.findings import findings_between
from quintet.store.read import daily_sums, intervals
from quintet.store.recent import Recent
from quintet.terms.amount import Ints
from quintet.terms.errors import UsageError
from quintet.terms.period import (
    Resolution,
    Span,
    day_number,
    day_of_number,
    day_start,
    from_us,
    to_us,
)
from quintet.terms.tables import DAILY

from .ahead import Ahead
from .alerts import HomeAlerts, readable_alerts
from .day_sums import PlaceDays, place_days
from .differences import Difference, Moment, counting_of, difference, due_minutes
from .exceptions import readable_item, readable_items
from .findings import channels_at
from .fineness import fine_sums, longest_min
from .flows import Counted, FlowsAnswer, counted_at, flows_table, minutes_of
from .hour_sums import Known, Together, read_together
from .mixing import homes_below
from .neighbours import MEMORY, MonthOfHomes, Neighbours, end_us, month_of_homes
from .network_sums import LOSS, located_losses
from .own_days import own_days
from .read_log import ReadLog
from .rights import Here, Rights
from .roles import MONTH_MIN
from .roles import minutes_of as minutes_of_step
from .scope import ANY, EVERYTHING, Grant, Scope
from .series import Rows, cut, in_place, refuse_too_fine, remembered, series_of
from .sets import Asked
from .told import FLOORS, only_released, released
from .weather import outdoor
from .whole_steps import COARSE_MIN, minutes_in, told_until

Own = tuple[Channel, Here]
"""A channel, and when of what is asked for it was the reader's to read."""
Groups = Callable[[Registry], Mapping[str, Set[str]]]
"""Names what is told beside places, and the dwellings that each tells of together."""
RegistryAt = Callable[[int | None], Registry]
ALL_TIME = Span(datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
"""What is asked of where no span is named: nobody whose right begins or ends gets it."""


class Access:
    """Reads one city for one reader."""

    def __init__(
        self,
        engine: Engine,
        registry_at: RegistryAt,
        recent: Recent,
        scope: Scope,
        rule_set: str,
        log: ReadLog | None = None,
    ) -> None:
        """Read through an engine; `registry_at` gives the registry as known at a batch (None: now).

        `recent` remembers the newest days; `log` keeps what others than those who live there read of a dwelling.
        """
        self._engine = engine
        self._recent = recent
        self._registry_at = self._stated_at = registry_at
        self._scope = scope
        self._rights = Rights(scope, lambda: registry_at(None), log)
        self._rule_set = rule_set
        self._as_known: datetime | None = None
        self._as_known_batch: int | None = None
        self._registered: int | None = None
        self._scratch = False
        self._ahead: Ahead | None = None

    def registry(self) -> Registry:
        """Give the registry as it stands; what of it a reader may list is the caller's to ask through `sees`."""
        return self._registry_at(self._as_known_batch)

    def as_known(self, moment: datetime | None) -> "Access":
        """Give the same reader's access as known at a moment wherever none is asked for; None: now.

        Raises UsageError for a moment to come. What the reader may see is as it is now.
        """
        out = Access(self._engine, self._registry_at, self._recent, self._scope, self._rule_set)
        out._rights = self._rights
        if moment is not None:
            with self._engine.asked() as (snapshot, now):
                out._as_known, out._as_known_batch = moment, self._known_batch(snapshot, moment, now)
        return out

    def as_registered(self, moment: datetime) -> "Access":
        """Give the same reader's access to the readings of now, counted for what the registry said at a moment.

        Raises UsageError for a moment to come.
        """
        with self._engine.asked() as (snapshot, now):
            batch = self._known_batch(snapshot, moment, now)
            known_at, known = from_us(now), batch_known_at(snapshot, now)
        out = Access(self._engine, lambda _known: self._registry_at(batch), self._recent, self._scope, self._rule_set)
        out._as_known, out._as_known_batch, out._registered = known_at, known, batch
        out._stated_at = self._stated_at
        out._rights = self._rights  # by the registry of now, not by that of the moment
        return out

    def from_intervals(self) -> "Access":
        """Give the same reader's access that reads every interval: what stored sums are to equal, and much slower."""
        out = Access(self._engine, self._registry_at, self._recent, self._scope, self._rule_set)
        out._as_known, out._as_known_batch, out._registered = self._as_known, self._as_known_batch, self._registered
        out._scratch, out._rights = True, self._rights
        return out

    def may_read(self, place: str, span: Span | None = None, resolution: Resolution | None = None) -> None:
        """Raise unless the reader may see a place, or a span of its readings in such steps (None: each reading).

        An unknown place raises NotFound.
        """
        self._rights.place(place, span, 0 if resolution is None else minutes_of_step(resolution))

    def sees(self, place: str) -> bool:
        """Tell whether the reader may see that a place exists, and what stands there."""
        return self._rights.sees(place)

    def horizon(self) -> frozenset[str] | None:
        """Name all places that the reader may see that exist; None: every one."""
        return self._rights.horizon()

    def clip(self, place: str, span: Span) -> Span | None:
        """Give the part of a span in which a place is the reader's; None: no part. Raises as `may_read` does."""
        return self._rights.clip(place, span)

    def utilities(self, place: str) -> frozenset[str] | None:
        """Name the commodities of a place of which the reader is told; None: of all. Raises as `may_read` does."""
        self._rights.place(place)
        return self._rights.utilities(place)

    def alike(self, place: str) -> tuple[Grant, ...] | None:
        """Check the place, and give what an answer about it depends on of the reader; None: read it anew each time."""
        return self._rights.alike(place)

    def ahead(self, names: Sequence[str], span: Span) -> Ahead:
        """Read channels over a span at once, for `having`; the reader needs the right to each reading."""
        channels = [self.channel(name) for name in names]
        for channel in channels:
            self._rights.here(channel, span, 0)
        return Ahead.read(self._engine, [channel.id for channel in channels], span)

    def having(self, ahead: Ahead) -> "Access":
        """Give the same reader's access that need not read again what was read ahead; what he may see stays."""
        out = Access(self._engine, self._registry_at, self._recent, self._scope, self._rule_set)
        out._rights, out._ahead = self._rights, ahead
        return out

    def channel(self, name: str, known: int | None = None) -> Channel:
        """Find a channel that the reader may see, as known at a batch (None: now)."""
        return self._rights.channel(name, self._registry_at(known))

    def series(self, name: str, span: Span, resolution: Resolution, known_at: datetime | None = None) -> pa.Table:
        """Give one channel's effective values in periods of the city's clock (SERIES), now or as known at a moment.

        What is remembered is given without asking the store, which makes who asks wait for a commit.
        """
        known_at = known_at or self._as_known
        if known_at is None:
            own = self._readable(name, None, span, resolution)
            rows = remembered(self._engine, self._recent, own[0], span)
            if rows is None and self._ahead is not None:
                rows = self._ahead.of(own[0].id, span)
            if rows is not None:
                return self._series(rows, (span, resolution), None, self._engine.clock_us(), own)
        with self._engine.asked() as (snapshot, now):
            asked, known = known_at, self._known_batch(snapshot, known_at, now)
            channel, here = self._readable(name, known, span, resolution)
            if asked is not None and here.finest_min:  # what became known by and by tells as much as what was read
                asked = told_until(here.finest_min, asked, self._engine.tz)
            batch = known if asked is known_at else self._known_batch(snapshot, asked, now)
            moment = min(now, self._engine.clock_us()) if asked is None else to_us(asked)
            found = intervals(
                self._engine, snapshot, span.start_us, span.end_us, channels=[channel.id], known_batch=batch
            )
            rows = (found["start_us"].to_numpy(), found["value"].to_numpy(), found["quality"].to_numpy())
            return self._series(rows, (span, resolution), known, moment, (channel, here))

    def _readable(self, name: str, known: int | None, span: Span, resolution: Resolution) -> Own:
        """Find a channel whose readings of a span the reader may see in such steps, and when it was at his places."""
        channel = self.channel(name, known)
        refuse_too_fine(channel, resolution)
        return channel, self._rights.here(channel, span, minutes_of_step(resolution))

    def _series(self, rows: Rows, asked: tuple[Span, Resolution], known: int | None, moment: int, own: Own) -> pa.Table:
        """Give a channel's series from its effective intervals, as known at a batch (None: now), which is a moment."""
        channel, here = own
        stood = in_place(self._registry_at(known)).get(channel.id) or in_place(self._registry_at(None))[channel.id]
        return series_of(rows, channel, stood, here, *asked, moment, self._engine.tz)

    def daily(self, names: Sequence[str], first: date, last: date) -> pa.Table:
        """Give daily sums of channels (DAILY), both days included, from the rollups: what a month's page needs.

        Days that are too old to be remembered are read from the store.
        """
        span = self._days(first, last)
        readable = [self._readable(name, None, span, Resolution.DAY) for name in names]
        channels = np.array([channel.id for channel, _ in readable], np.int32)
        low, high = day_number(first), day_number(last)
        sums = self._recent.sums(channels, low, high)
        if sums is None:
            with self._engine.snapshot() as snapshot:
                sums = daily_sums(snapshot, channels, low, high)
        days = [day_of_number(number) for number in range(low, high + 1)]
        sums = np.array(sums)
        for at, (channel, here) in enumerate(readable):
            own_days(self._engine, sums[:, at], channel, here, days)
        known = (sums[1] + sums[2]) > 0
        return pa.table(
            {
                "channel": pa.array([name for name in names for _ in days], pa.string()),
                "day": pa.array(days * len(names), pa.date32()),
                "value": pa.array(sums[0].ravel(), mask=~known.ravel()),
                "arrived": pa.array(sums[1].ravel()),
                "estimated": pa.array(sums[2].ravel()),
            },
            schema=DAILY,
        )

    def _days(self, first: date, last: date) -> Span:
        """Give the span of local days, both included."""
        return Span(day_start(first, self._engine.tz), day_start(last + timedelta(days=1), self._engine.tz))

    def outdoor(self, place: str, span: Span, known_at: datetime | None = None) -> pa.Table:
        """Give the outdoor temperatures that were measured for a place (OUTDOOR), now or as known at a moment."""
        self.may_read(place)
        known_at = known_at or self._as_known
        with self._engine.asked() as (snapshot, now):
            known = self._known_batch(snapshot, known_at, now)
            return outdoor(self._engine, snapshot, self._registry_at(known), place, span, known)

    def flows(
        self,
        place: str,
        span: Span,
        resolution: Resolution,
        known_at: datetime | None = None,
        *,
        told: Resolution | None = None,
    ) -> FlowsAnswer:
        """Give a place's metered flows in periods of the city's clock, now or as known at a moment.

        `told` is the step in which alone the answer is told, where that is longer: the reader needs the right to it.
        """
        step_min = minutes_of_step(told or resolution)
        cuts = cut(span, resolution, self._engine.tz)
        if self._rights.place(place, span, step_min, floored=True):
            fine = told not in (None, resolution)  # what was reckoned by the hour holds more than a sum over the month
            with self._floored(place, span, minutes_of_step(resolution) if fine else step_min) as moment:
                found = self._flows(moment, place, cuts, resolution)
                return replace(found, flows=found.flows.filter(pc.not_equal(found.flows["flow"], LOSS)))
        with self.asking(place, known_at, span, step_min) as moment:
            return self._flows(moment, place, cuts, resolution)

    @contextmanager
    def _floored(self, place: str, span: Span, step_min: int) -> Generator[Asked]:
        """Read of a place what everybody may be told of it, as known at the release of its months."""
        if self._registered is not None:
            raise only_released(place)
        whole = Access(self._engine, self._registry_at, self._recent, EVERYTHING, self._rule_set)
        of = released(self._registry_at(None), place, span, step_min)
        FLOORS.need(self._engine, of, place, lambda moment: whole.asking(ROOT, moment), fine=step_min < MONTH_MIN)
        with whole.asking(place, of.known_at, span, step_min) as moment:
            yield moment

    def hours_of(
        self, places: Sequence[str], span: Span, commodities: Set[str], known_at: datetime, *, told: Resolution
    ) -> list[FlowsAnswer]:
        """Give of each of some places what `flows` gives of some commodities by the hour: one read for all of them."""
        step_min = minutes_of_step(told)
        for place in places:
            self._rights.place(place, span, step_min)
        if not places:
            return []
        cuts, low, high = cut(span, Resolution.HOUR, self._engine.tz), span.start_us, span.end_us
        with self.asking(places[0], known_at, span, step_min) as moment:
            for place in places:
                self._rights.unwidened(moment.registry, place, span)
            inside = {place: moment.registry.descendants(place) for place in places}
            known = Known(moment.batch, moment.registered, moment.scratch)
            read = read_together(self._engine, moment.snapshot, (low, high), inside, commodities, known)
            return [self._flows(moment, place, cuts, Resolution.HOUR, commodities, read) for place in places]

    def _flows(
        self,
        moment: Asked,
        place: str,
        cuts: tuple[list[datetime], Ints],
        resolution: Resolution,
        commodities: Set[str] | None = None,
        together: Together | None = None,
    ) -> FlowsAnswer:
        """Give a place's flows at one moment, of some commodities (None: all); `together` was read of it already."""
        periods, edges_us = cuts

        def counts(registry: Registry) -> Counted:
            every = counted_at(registry, place)
            return every if commodities is None else every.only(commodities)

        def counted_by(batch: int) -> Counted | None:
            registry = self._stated_at(batch)
            return counts(registry) if place in registry.tree else None

        counted = counts(moment.registry)
        known = Known(moment.batch, moment.registered, moment.scratch, counted_by, together)
        found = fine_sums(self._engine, moment.snapshot, counted, edges_us, known, resolution)
        losses = located_losses(moment, place, periods, edges_us)
        if commodities is not None:
            found, losses = (
                rows.filter(pc.is_in(rows["commodity"], pa.array(sorted(commodities), pa.string())))
                for rows in (found, losses)
            )
        expected = minutes_of(counted.due, edges_us, moment.until_us)
        standing = minutes_of(counted.standing, edges_us, int(edges_us[-1]))
        table = pa.concat_tables([flows_table(found, periods, edges_us, expected, standing), losses])
        moment_known, metered = from_us(moment.known_us), counted.boundaries_metered
        return FlowsAnswer(place, table, periods, metered, moment_known, self._rule_set, longest_min(counted))

    def place_days(self, place: str, first: date, last: date, known_at: datetime | None = None) -> PlaceDays:
        """Give what each meter of a place came to on each local day, both included, now or as known at a moment."""
        step_min = minutes_of_step(Resolution.DAY)
        with self.asking(place, known_at, self._days(first, last), step_min) as asked:
            return place_days(asked, place, first, last)

    def neighbours(self, place: str, first: date, last: date) -> Neighbours | None:
        """Give what a home may be told of homes like it in a month, given by its first and last day; None: nothing.

        Who may read the home's months needs no right to the others: each is hidden among many (neighbours.py).
        """
        self._rights.place(place, self._days(first, last), minutes_of_step(Resolution.MONTH))
        registry = self._registry_at(None)

        def make() -> MonthOfHomes:
            whole = Access(self._engine, self._registry_at, self._recent, EVERYTHING, self._rule_set)
            return month_of_homes(registry, whole.place_days(ROOT, first, last), end_us(registry, last))

        return MEMORY.get(registry, first, make).around(place)

    @contextmanager
    def asking(
        self,
        place: str,
        known_at: datetime | None = None,
        span: Span = ALL_TIME,
        step_min: int = 0,
        *,
        each: bool = False,
        running: bool = False,
        own: bool = False,
        groups: Groups | None = None,
    ) -> Generator[Asked]:
        """Read of a place and what is below it at one moment, now or as known at a moment.

        What is read lies in `span`, in steps of so many minutes; `each`: of the dwellings below one by one. Who reads
        by whole steps only is given what was known when the last of them was over, unless what is told of a `running`
        one holds no amounts. `own`: of the commodities alone that he may see (`utilities`). `groups`: of sets of
        dwellings too, by name, that are no places.
        """
        self._rights.place(place, span, step_min, commodity=ANY if own else None)
        if each:
            self._rights.each_below(place, span, step_min)
        known_at = known_at or self._as_known
        with self._engine.asked() as (snapshot, now):
            known = self._known_batch(snapshot, known_at, now)
            moment = now if known_at is None else to_us(known_at)
            until = min(now, self._engine.clock_us()) if known_at is None else moment
            registry = self._registry_at(known)
            self._rights.unwidened(registry, place, span)
            if groups is not None:
                self._rights.groups(place, groups(registry), span, step_min, "networks")
            registered = known if self._registered is None else self._registered
            over = None if running else self._over(place, span, from_us(until), each=each)
            if over is not None and (known_at is not None or over < span.end):
                newest = batch_known_at(snapshot, now)
                registered = newest if registered is None else registered
                known, moment, until = self._known_batch(snapshot, over, now), to_us(over), to_us(over)
            # nothing was committed since: what is summed already is what was known then
            batch = None if known is not None and known == batch_known_at(snapshot, now) else known
            yield Asked(
                self._engine, snapshot, registry, batch, moment, until, self._rule_set, registered, self._scratch
            )

    def _over(self, place: str, span: Span, at: datetime, *, each: bool = False) -> datetime | None:
        """Give until when the reader is told of a place, and of each dwelling below it; None: all that is known."""
        finest = self._rights.finest(place, span)
        if each:
            homes = homes_below(self._registry_at(None), place)
            finest = max([finest, *(self._rights.finest(home, span) for home in homes[:1])])
        return told_until(finest, at, self._engine.tz)

    def difference(
        self, span: Span, before: datetime, after: datetime, *, place: str = "", channel: str = ""
    ) -> Difference:
        """Say why the totals of a place, or of a channel, differ between two moments of knowledge.

        Raises UsageError where the second is not after the first, or has not come yet.
        """
        if after <= before:
            raise UsageError(
                "the second moment is not after the first.", code="bad_moments", remedy="Give the earlier one first."
            )
        finest = 0
        if place:
            self._rights.place(place, span, minutes_in(span), what="changes")
            finest = self._rights.finest(place, span)
        named = self.channel(channel) if channel else None
        if named is not None:
            finest = max(finest, self._rights.readings(named, span, minutes_in(span), what="changes").finest_min)
        with self._engine.asked() as (snapshot, now):
            reach, moments = np.array([span.start_us, span.end_us], np.int64), list[Moment]()
            for moment in (before, after):
                over = told_until(finest, moment, self._engine.tz)
                known_at = moment if over is None else over
                batch = self._known_batch(snapshot, known_at, now) or 0
                if place:
                    self._rights.unwidened(self._registry_at(batch), place, span)
                registries = self._registry_at(batch), self._registry_at(None)
                counting, due = counting_of(*registries, place, None if named is None else named.id)
                moments.append(Moment(batch, counting, due_minutes(due, reach, to_us(known_at))))
            return difference(self._engine, snapshot, span.start_us, span.end_us, *moments)

    def findings(self, channel: str | None, place: str | None, span: Span) -> tuple[int, pa.Table]:
        """Give the moment of asking (us) or that of `as_known`, and what was found (FOUND) of a channel or a place.

        Raises NotFound and Forbidden for a channel or place that is none, or not the reader's.
        """
        registry, where = self._registry_at(None), place or ""
        if channel is not None:
            one = self.channel(channel)
            self._rights.readings(one, span, COARSE_MIN, what="findings")
            numbers, where = np.array([one.id], np.int32), registry.place_of(one.id)
        else:
            self._rights.place(where, span, COARSE_MIN, what="findings")
            self._rights.each_below(where, span, COARSE_MIN)
            numbers = self._rights.own(channels_at(registry, where), span)
        with self._engine.asked() as (snapshot, now):
            found = findings_between(snapshot, numbers, span.start_us, span.end_us, self._as_known_batch)
        found = self._rights.without_figures(found, where)
        return now if self._as_known is None else to_us(self._as_known), found

    def alerts(self, place: str, looked_us: int | None = None) -> HomeAlerts:
        """Give what a dwelling's household is told of by itself, as far as it lies in the reader's time.

        `looked_us`: when it was looked at last, where who asks knows that better.
        """
        return readable_alerts(self._engine, self._rights, self._registry_at(None), place, looked_us)

    def exceptions(self) -> tuple[int, Sequence[Item]]:
        """Give the moment of asking (us) or of `as_known`, and the exceptions of places that the reader may see."""
        now, found = readable_items(self._engine, self._rights, self._as_known_batch)
        return now if self._as_known is None else to_us(self._as_known), found

    def exception(self, number: int) -> tuple[Item, list[dict[str, Any]]]:
        """Give one exception and its steps; raises NotFound for one that is none, or not the reader's."""
        return readable_item(self._engine, self._rights, number, self._as_known_batch)

    def _known_batch(self, snapshot: Snapshot, known_at: datetime | None, now_us: int) -> int | None:
        """Give the batch that a moment knew; None for now. A moment to come is refused: nobody can know it yet."""
        if known_at is None:
            return None
        if to_us(known_at) > now_us:
            raise UsageError(
                f"{known_at.isoformat()} is in the future.",
                code="future_known_at",
                remedy="Ask as known at a moment that has passed.",
                said={"moment": known_at.isoformat()},
            )
        return batch_known_at(snapshot, to_us(known_at))
