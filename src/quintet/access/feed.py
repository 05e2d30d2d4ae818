"""What was just committed, for those who listen to a place: from memory for a while, else from the store, else anew.

Every commit is taken in by reference in the thread that made it. All the rest is done by the thread that asks.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from quintet.registry import Registry
from quintet.registry.tree import ROOT
from quintet.store.engine import Engine, Snapshot
from quintet.store.read import intervals, wanted
from quintet.store.recent import Recent
from quintet.terms.alert import Alert
from quintet.terms.errors import Forbidden, NotFound
from quintet.terms.quality import qualities, qualities_by_id

from .alerts import any_heard, changed_since
from .changes import NO_ROWS, Change, ChangedRows, Changes, Commit, Limits, Mark, Rows, Stepped, newest_of
from .members import I32, Members
from .mixing import apart, homes_below, mix_of
from .read_log import Read, ReadLog
from .scope import ANY, Grant, Scope, Want
from .told import only_released
from .totals import held_totals

REGISTRY = "registry"
"""The kind of a batch that changed what is said of places and meters."""
WITHDRAWN = qualities()["withdrawn"].id


@dataclass
class Watch:
    """One reader's place, how far its changes have been told, and what it was made of then."""

    scope: Scope
    place: str
    mark: Mark
    members: Members
    digest: bytes
    grant: Grant | None = None
    """What the reader's right to it is bounded by; None for nothing."""
    line: tuple[ReadLog, int] | None = None
    """The line of the dwelling's read log that tells of it, where it is noted."""

    @property
    def circle(self) -> tuple[str, Grant | None]:
        """What it is told of, from when until when: whoever has the same is told the same."""
        return self.place, self.grant


class _Entry(NamedTuple):
    mark: Mark
    registry: bool
    rows: ChangedRows | None
    alerts: Sequence[Alert] = ()


class Feed:
    """The newest commits of one city, and what they mean for a place; safe for several threads."""

    def __init__(
        self,
        engine: Engine,
        registry: Callable[[], Registry],
        recent: Recent,
        limits: Limits | None = None,
        log: Callable[[], ReadLog | None] = lambda: None,
    ) -> None:
        """Begin at the newest batch; `registry` gives the registry as it stands. Register `take` with the pipeline.

        `log` gives what keeps who follows a dwelling; None: nothing is noted.
        """
        self._engine = engine
        self._registry = registry
        self._recent = recent
        self._log = log
        self.limits = limits or Limits.shipped()
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._members: Members | None = None
        self._ring: deque[_Entry] = deque()
        self._rows = 0
        self._wakers: list[Callable[[], None]] = []
        with engine.exclusive(), engine.snapshot() as snapshot:
            self._floor = self.newest = _newest(snapshot)

    @property
    def registry(self) -> Registry:
        """The registry as it stands."""
        return self._registry()

    def take(self, committed: Commit) -> None:
        """Take in a durable batch: nothing is copied, the arrays must stay as they are."""
        mark = Mark(committed.batch.id, committed.batch.received_us)
        rows = committed.rows
        count = 0 if rows is None else len(rows.channel)
        self._keep(_Entry(mark, committed.batch.kind == REGISTRY, rows if count else None), count)

    def take_alerts(self, stepped: Stepped) -> None:
        """Take in a durable batch of steps of alerts; call it in the order of batches, as `take`."""
        mark = Mark(stepped.batch.id, stepped.batch.received_us)
        self._keep(_Entry(mark, registry=False, rows=None, alerts=tuple(stepped.alerts)), 0)

    def _keep(self, entry: _Entry, count: int) -> None:
        """Remember a batch of so many rows, and wake who tells."""
        with self._lock:
            self._ring.append(entry)
            self._rows += count
            self.newest = entry.mark
            while self._rows > self.limits.ring_rows or len(self._ring) > self.limits.ring_batches:
                oldest = self._ring.popleft()
                self._floor = oldest.mark
                self._rows -= 0 if oldest.rows is None else len(oldest.rows.channel)
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    def on_commit(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after every commit, in the committing thread; gives what ends that."""
        with self._lock:
            self._wakers.append(wake)

        def end() -> None:
            with self._lock:
                self._wakers.remove(wake)

        return end

    def subscribe(self, scope: Scope, place: str) -> Watch:
        """Begin to follow a place; NotFound when there is none of that name, Forbidden when it is not the reader's."""
        mark, members = self.newest, self._laid_out()
        grant = self.may_follow(scope, place)
        return Watch(
            scope, place, mark, members, members.digest(place), grant, self._noted(members, scope, place, grant)
        )

    def follows(self, watch: Watch) -> None:
        """Say in the read log that a reader has followed a dwelling up to now."""
        if watch.line is not None:
            log, line = watch.line
            log.extend(line, self._engine.clock_us())

    def _noted(self, members: Members, scope: Scope, place: str, grant: Grant | None) -> tuple[ReadLog, int] | None:
        """Note that a reader begins to follow a dwelling, before anything is told to him."""
        log = self._log()
        told = members.is_dwelling(place) or few(members.registry, scope, place, grant)
        if log is None or not told or (grant is not None and not grant.role.logged):
            return None
        role, purpose = ("operator", "") if grant is None else (grant.role.name, grant.purpose)
        kinds = () if grant is None or grant.commodities is None else sorted(grant.commodities)
        what = f"live of {', '.join(kinds)}" if kinds else "live"
        now = self._engine.clock_us()
        read = Read(place, now, now + 1, 0, what, scope.reader, role, scope.reason, purpose)
        return log, log.note(read)

    def may_follow(self, scope: Scope, place: str) -> Grant | None:
        """Give what bounds a reader who follows a place at this moment; raises as `subscribe` does."""
        return check(self._laid_out(), scope, place, self._engine.clock_us())

    def now_us(self) -> int:
        """Give the moment by which rights to follow begin and end."""
        return self._engine.clock_us()

    def news(self, watches: Sequence[Watch]) -> list[Changes | None]:
        """Say for each place what changed since its mark (None: nothing), and move the marks to the newest batch."""
        newest, members = self.newest, self._laid_out()
        since: dict[Mark, tuple[Rows | None, Set[str], Mapping[str, Sequence[Alert]]]] = {}
        out: list[Changes | None] = []
        for watch in watches:
            place, found = watch.place, since.get(watch.mark)
            if found is None:
                rows = self._remembered(watch.mark, newest)
                homes = members.homes(rows.channel if rows is not None else NO_ROWS.channel)
                found = since[watch.mark] = rows, homes, self._stepped(watch.mark, newest)
            watch.mark = newest
            rows, homes, alerts = found
            # of thousands who listen a commit touches a few: all others are passed by here
            still = watch.members is members and rows is not None and place not in homes and place not in alerts
            if still and members.is_dwelling(place):
                out.append(None)
            else:
                out.append(self._changed(members, watch, rows, homes, alerts, newest))
        return out

    def resume(self, watch: Watch, after: Mark) -> Changes:
        """Say what changed at a place after a mark that a listener kept, up to now; `anew` when nobody can tell."""
        newest, members = self.newest, self._laid_out()
        with self._lock:
            held = after >= self._floor
            known = {self._floor, *(entry.mark for entry in self._ring)}
            moved = any(entry.registry for entry in self._ring if entry.mark > after)
        if after > newest or (held and after not in known):
            return Changes(newest, anew=True)
        if held:
            alerts = self._stepped(after, newest).get(watch.place, ())
            return self._told(members, watch, None if moved else self._remembered(after, newest), alerts, newest)
        with self._engine.snapshot() as snapshot:
            return self._stored(snapshot, members, watch, after, newest)

    def _laid_out(self) -> Members:
        """Give the registry's channels by place; made again only when the registry has changed."""
        with self._making:
            registry = self._registry()
            if self._members is None or self._members.registry is not registry:
                self._members = Members(registry)
            return self._members

    def _remembered(self, after: Mark, until: Mark) -> Rows | None:
        """Give what the ring holds of batches after a mark, until another; None when it does not go back so far."""
        with self._lock:
            if after < self._floor:
                return None
            entries = [entry for entry in reversed(self._ring) if after < entry.mark <= until]
        return newest_of([entry.rows for entry in entries if entry.rows is not None])

    def _stepped(self, after: Mark, until: Mark) -> Mapping[str, Sequence[Alert]]:
        """Give the alerts that changed after a mark, until another, by dwelling: of batches that the ring holds."""
        with self._lock:
            entries = [entry for entry in self._ring if entry.alerts and after < entry.mark <= until]
        out: dict[str, list[Alert]] = {}
        for one in (alert for entry in entries for alert in entry.alerts):
            out.setdefault(one.place, []).append(one)
        return out

    def _changed(
        self,
        members: Members,
        watch: Watch,
        rows: Rows | None,
        homes: Set[str],
        alerts: Mapping[str, Sequence[Alert]],
        mark: Mark,
    ) -> Changes:
        """Say what changed for a watch; after a change of the registry it may be other meters, or nobody's business."""
        if watch.members is not members:
            try:
                watch.grant = check(members, watch.scope, watch.place, self._engine.clock_us())
            except (NotFound, Forbidden):
                return Changes(mark, gone=True)
            digest, before = members.digest(watch.place), watch.digest
            watch.members, watch.digest = members, digest
            if digest != before:
                return Changes(mark, anew=True)
        own = alerts.get(watch.place, ())
        if rows is not None and not own and members.is_dwelling(watch.place) and watch.place not in homes:
            return Changes(mark)
        return self._told(members, watch, rows, own, mark)

    def _told(self, members: Members, watch: Watch, rows: Rows | None, alerts: Iterable[Alert], mark: Mark) -> Changes:
        """Say what changed rows and alerts mean for a place; rows of None, or more than an event holds: read anew."""
        found = self._amounts(members, watch, rows, mark)
        heard = any_heard(alerts, watch.place, watch.grant, watch.scope.reason)
        return replace(found, alerts=True) if heard and not found.anew else found

    def _amounts(self, members: Members, watch: Watch, rows: Rows | None, mark: Mark) -> Changes:
        """Say what changed rows mean for a place."""
        place = watch.place
        if rows is None:
            return Changes(mark, anew=True)
        if members.is_dwelling(place):
            own = bounded(members, rows.of(members.channels(place)), watch.grant)
            if len(own.channel) > self.limits.event_rows:
                return Changes(mark, anew=True)
            return Changes(mark, intervals=_named(members, own))
        counting = members.counting(place)
        known = np.flatnonzero(rows.channel < members.size)
        own = rows.take(known[counting.member[rows.channel[known]]])
        if not len(own.channel):
            return Changes(mark)
        now_us = self._engine.clock_us()
        totals, days = held_totals(self._recent, self._engine.tz, counting, own.channel, own.start_us, now_us)
        return Changes(mark, totals=totals, days=days, anew=len(totals) > self.limits.event_rows)

    def _stored(self, snapshot: Snapshot, members: Members, watch: Watch, after: Mark, mark: Mark) -> Changes:
        """Say what changed at a place after a mark that the ring no longer holds, as far as the store can tell.

        A day that was closed since has moved its rows, and a changed registry may mean other meters: both are read
        anew.
        """
        same = snapshot.rows("select 1 from batch where id = ? and received_us = ?", list(after)) or after.batch == 0
        moved = snapshot.rows(
            """select 1 from closed_day where batch > $1 union all
                select 1 from record where batch > $1 and kind <> 'occupancy' limit 1""",
            [after.batch],
        )
        place = watch.place
        dwelling = members.is_dwelling(place)
        own = members.channels(place) if dwelling else np.flatnonzero(members.counting(place).member)
        if moved or not same:
            return Changes(mark, anew=True)
        found = snapshot.arrow(
            """select distinct channel, start_us from interval where batch > ?
                and channel in (select channel from wanted) order by all limit ?""",
            [after.batch, self.limits.resume_rows + 1],
            {"wanted": wanted(own.astype(np.int32))},
        )
        if found.num_rows > self.limits.resume_rows:
            return Changes(mark, anew=True)
        rows = self._effective(snapshot, found) if dwelling and found.num_rows else _keys(found)
        alerts = changed_since(snapshot, place, after.batch) if dwelling else ()
        return self._told(members, watch, rows, alerts, mark)

    def _effective(self, snapshot: Snapshot, keys: pa.Table) -> Rows:
        """Give what stands at some (channel, start_us) now; `withdrawn` where nothing does."""
        start = keys["start_us"].to_numpy()
        channels: I32 = np.unique(keys["channel"].to_numpy())
        low, high = int(start.min()), int(start.max()) + 1
        effective = intervals(self._engine, snapshot, low, high, channels=channels)
        joined = snapshot.arrow(
            f"""select k.channel, k.start_us, coalesce(value, 0) as value,
                coalesce(quality, {WITHDRAWN})::utinyint as quality from keys k
                left join effective e on k.channel = e.channel and k.start_us = e.start_us order by 1, 2""",
            tables={"keys": keys, "effective": effective},
        )
        return Rows(*(joined[name].to_numpy() for name in ("channel", "start_us", "value", "quality")))


def check(members: Members, scope: Scope, place: str, now_us: int) -> Grant | None:
    """Refuse a place that there is not, or that is not the reader's to follow now; give what bounds him."""
    if place not in members.registry.tree and scope.discreet:
        raise scope.not_yours(place)
    members.registry.need_place(place)
    if scope.unbounded:
        return None
    dwelling = members.is_dwelling(place)
    below = 0 if dwelling else len(homes_below(members.registry, place))
    leaves = apart(members.registry, scope, place)
    want = Want((now_us, now_us + 1), 0, dwelling, below, ANY, apart=leaves)
    grant = scope.check(place, frozenset(members.registry.tree.path(place)), want)
    if grant is not None and grant.role.floor:
        raise only_released(place)
    return grant


def few(registry: Registry, scope: Scope, place: str, grant: Grant | None) -> bool:
    """Tell whether a place's totals give away single dwellings, so that following them is noted."""
    want = Want(dwellings=len(homes_below(registry, place)), apart=apart(registry, scope, place))
    return want.few(mix_of(scope) if grant is None else grant.role.mix) and not (scope.unbounded and place == ROOT)


def bounded(members: Members, rows: Rows, grant: Grant | None) -> Rows:
    """Keep the rows that a grant opens: late readings of a time before it stay untold."""
    if grant is None or not len(rows.channel):
        return rows
    kept = (rows.start_us >= grant.from_us) & (rows.start_us < grant.until_us)
    if grant.commodities is not None:
        kept &= np.array([members.commodity(one) in grant.commodities for one in rows.channel.tolist()], np.bool_)
    return rows.take(np.flatnonzero(kept))


def _newest(snapshot: Snapshot) -> Mark:
    found = snapshot.rows("select id, received_us from batch order by id desc limit 1")
    return Mark(int(found[0][0]), int(found[0][1])) if found else Mark(0, 0)


def _keys(found: pa.Table) -> Rows:
    """Give changed intervals whose values nobody asks for: totals are summed from memory."""
    count = found.num_rows
    none = np.zeros(count, np.int64), np.full(count, WITHDRAWN, np.uint8)
    return Rows(found["channel"].to_numpy(), found["start_us"].to_numpy(), *none)


def _named(members: Members, rows: Rows) -> list[Change]:
    """Give rows with their channels' names and units, as far as the registry knows them."""
    table = qualities_by_id()
    out: list[Change] = []
    for channel, start_us, value, number in zip(*(column.tolist() for column in rows), strict=True):
        quality = table[number]
        known = None if quality.kind == "rejected" else value
        out.append(Change(members.name(channel), start_us, known, members.unit(channel), quality.code))
    return out
