"""The one read path: every answer to a person is asked for here, by someone with a scope."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pyarrow as pa

from quintet.registry import Registry
from quintet.registry.rows import Channel
from quintet.store.book import batch_known_at
from quintet.store.engine import Engine, Snapshot
from quintet.store.read import intervals
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.errors import UsageError
from quintet.terms.period import FIXED_MINUTES, MINUTE_US, Resolution, Span, edges, from_us, grid_phase, to_us
from quintet.terms.reading import ValueKind, clock

from .flows import Counted, FlowsAnswer, event_channels, expected_minutes, flows_table, sums
from .scope import Scope
from .series import cadence_text, expected_slots, series_table

RegistryAt = Callable[[int | None], Registry]


class Access:
    """Reads one city for one reader."""

    def __init__(
        self, engine: Engine, registry_at: RegistryAt, scope: Scope, rule_set: str, now: Callable[[], int]
    ) -> None:
        """Read through an engine; `registry_at` gives the registry as known at a batch (None: now)."""
        self._engine = engine
        self._registry_at = registry_at
        self._scope = scope
        self._rule_set = rule_set
        self._now = now

    def registry(self) -> Registry:
        """Give the registry as it stands; what of it a reader may list is the caller's to ask through `may_read`."""
        return self._registry_at(None)

    def may_read(self, place: str) -> None:
        """Raise unless the reader may see a place; an unknown place raises NotFound."""
        registry = self._registry_at(None)
        registry.need_place(place)
        self._scope.check(place, frozenset(registry.tree.path(place)))

    def channel(self, name: str) -> Channel:
        """Find a channel that the reader may see."""
        registry = self._registry_at(None)
        found = registry.channel_by_name(name)
        self.may_read(registry.place_of(found.id))
        return found

    def series(self, name: str, span: Span, resolution: Resolution, known_at: datetime | None = None) -> pa.Table:
        """Give one channel's effective values in periods of the city's clock (SERIES), now or as known at a moment."""
        channel = self.channel(name)
        cadence_us = channel.reading.cadence_min * MINUTE_US
        if FIXED_MINUTES.get(resolution, 1440) * MINUTE_US < cadence_us:
            raise UsageError(
                f"has one value every {cadence_text(cadence_us)}.",
                code="too_fine",
                place=name,
                remedy="Ask for a resolution that is no finer.",
            )
        periods = edges(span, resolution, self._engine.tz)
        with self._engine.snapshot() as snapshot:
            known = self._known_batch(snapshot, known_at)
            rows = intervals(
                self._engine, snapshot, span.start_us, span.end_us, channels=[channel.id], known_batch=known
            )
        expected = None
        if channel.reading.value_kind is not ValueKind.EVENT_SUM:
            start, end = self._in_place(channel.id)
            edges_us = np.array([to_us(edge) for edge in periods], np.int64)
            phase = grid_phase(clock(channel.reading.tz), cadence_us)
            edges_us = np.minimum(edges_us, max(self._moment(known_at), int(edges_us[0])))
            expected = expected_slots(edges_us, cadence_us, phase, start, end)
        return series_table(rows, periods, expected)

    def flows(self, place: str, span: Span, resolution: Resolution, known_at: datetime | None = None) -> FlowsAnswer:
        """Give a place's metered flows in periods of the city's clock, now or as known at a moment."""
        self.may_read(place)
        periods = edges(span, resolution, self._engine.tz)
        edges_us = np.array([to_us(edge) for edge in periods], np.int64)
        with self._engine.snapshot() as snapshot:
            known = self._known_batch(snapshot, known_at)
            registry = self._registry_at(known)
            counted = Counted.of(registry, place)
            found = sums(self._engine, snapshot, counted, edges_us, known)
        moment = self._moment(known_at)
        expected = expected_minutes(counted, edges_us, moment, event_channels(registry))
        table = flows_table(found, periods, expected)
        return FlowsAnswer(place, table, periods, counted.boundaries_metered, from_us(moment), self._rule_set)

    def _known_batch(self, snapshot: Snapshot, known_at: datetime | None) -> int | None:
        """Give the batch that a moment knew; None for now."""
        return None if known_at is None else batch_known_at(snapshot, to_us(known_at))

    def _moment(self, known_at: datetime | None) -> int:
        """Give the moment that an answer speaks of."""
        return self._now() if known_at is None else to_us(known_at)

    def _in_place(self, channel: int) -> tuple[int, int]:
        """Give from when until when a channel is in place (always, where nobody stated it)."""
        rows = self._registry_at(None).channels()
        row = rows.filter(pa.array(rows["channel"].to_numpy() == channel)).to_pylist()[0]
        installed, removed = row["installed"], row["removed"]
        return (ALWAYS if installed is None else to_us(installed)), (FOREVER if removed is None else to_us(removed))
