"""One reader's rights, asked of the registry as it stands: every way of reading comes through here.

Whatever moment of knowledge is asked for, the rights are those of now, and where a meter stood is what is known of it
now: an older belief opens nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.registry import Registry
from quintet.registry.rows import Channel
from quintet.registry.standing import Stood, stood
from quintet.registry.tree import ROOT
from quintet.store.records import ALWAYS
from quintet.terms.errors import Forbidden, NotFound
from quintet.terms.length import DAY_MIN
from quintet.terms.period import Span, from_us

from .findings import channels_at
from .mixing import apart, homes_below, is_dwelling, mix_of
from .read_log import Read, ReadLog
from .roles import MONTH_MIN
from .scope import ANY, JUST_THE_PLACE, Grant, Scope, Want
from .told import below_floor, only_released
from .whole_steps import whole_steps


class Rights:
    """Checks what one reader asks for, and notes what was read of a dwelling by others than those who live there."""

    def __init__(self, scope: Scope, now: Callable[[], Registry], log: ReadLog | None = None) -> None:
        """Ask `now` for the registry as it stands; without a log nothing is noted."""
        self.scope = scope
        self._now = now
        self._log = log

    def sees(self, place: str) -> bool:
        """Tell whether a place may be listed."""
        registry = self._now()
        if self.scope.unbounded:
            return place in registry.tree
        return place in registry.tree and self._allows(registry, place, self._want(registry, place, None, 0, None))

    def horizon(self) -> frozenset[str] | None:
        """Name all places that may be listed; None: every one."""
        if self.scope.unbounded:
            return None
        tree = self._now().tree
        granted = {*(self.scope.places or ()), *(grant.place for grant in self.scope.grants)}
        below = {one for place in granted if place in tree for one in tree.walk(place)}
        return frozenset(one for one in below if self.sees(one))

    def place(
        self,
        place: str,
        span: Span | None = None,
        step_min: int = 0,
        *,
        what: str = "totals",
        floored: bool = False,
        commodity: str | None = None,
    ) -> bool:
        """Refuse a place, or a span of its readings in steps of so many minutes; tell whether the floor bounds them.

        An unknown place raises NotFound; a discreet reader gets the same answer for one that is not his. Who gets only
        what passes the floor is refused what is not asked as `floored`: then the caller lays it. `commodity`: ANY where
        the caller tells of those alone that he may see (`utilities`).
        """
        registry = self._now()
        if place not in registry.tree and self.scope.discreet:
            raise self.scope.not_yours(place)
        registry.need_place(place)
        if self.scope.unbounded and self._log is None:
            return False
        want = self._want(registry, place, span, step_min, commodity)
        grant = self.scope.check(place, frozenset(registry.tree.path(place)), want)
        bounded = span is not None and grant is not None and grant.role.floor
        if bounded and not floored:
            raise only_released(place)
        if span is not None and (want.dwelling or self._tells_of_few(grant, place, want)):
            self._note(grant, place, span, want.step_min, what)
        return bounded

    def groups(self, place: str, groups: Mapping[str, Set[str]], span: Span, step_min: int, what: str) -> None:
        """Refuse totals at a place of groups of dwellings, by name, of which one is too small for the reader."""
        if self.scope.unbounded and self._log is None:
            return
        registry = self._now()
        above = frozenset(registry.tree.path(place))
        for name, homes in groups.items():
            want = replace(self._want(registry, place, span, step_min, ANY), dwellings=len(homes), apart=False)
            grant = self.scope.check(name, above, want)
            if want.few(mix_of(self.scope) if grant is None else grant.role.mix):
                for home in sorted(homes):
                    self._note(grant, home, span, want.step_min, what)

    def _tells_of_few(self, grant: Grant | None, place: str, want: Want) -> bool:
        """Tell whether a total is noted as a reading of the dwellings in it; of the city's own it never is."""
        few = want.few(mix_of(self.scope) if grant is None else grant.role.mix)
        return few and not (self.scope.unbounded and place == ROOT)

    def each_below(self, place: str, span: Span, step_min: int) -> None:
        """Refuse to tell the dwellings below a place one by one, where one of them alone would be refused."""
        registry = self._now()
        if self.scope.unbounded and self._log is None:
            return
        self.place(place)
        homes = homes_below(registry, place)
        for home in homes[:1]:
            grant = self.scope.check(
                place,
                frozenset(registry.tree.path(home)),
                Want(
                    (span.start_us, span.end_us),
                    whole_steps(span, step_min, registry.tz),
                    dwelling=True,
                    tz=registry.tz,
                ),
            )
            self._note(grant, place, span, step_min, "each dwelling")

    def channel(self, name: str, known: Registry) -> Channel:
        """Find a channel that the reader may see, as it was known."""
        registry = self._now()
        if name not in registry.channel_ids and self.scope.discreet:
            raise self.scope.not_yours(name)
        found = (known if name in known.channel_ids else registry).channel_by_name(name)
        if self.scope.unbounded:
            return found
        places = [one.place for one in stood(registry, name)]
        want = Want(commodity=found.reading.commodity)
        if not any(self._allows(registry, place, want) for place in places):
            if self.scope.discreet:
                raise self.scope.not_yours(name)
            last = registry.place_of(found.id)
            self.scope.check(last, frozenset(registry.tree.path(last)), want)
            raise self.scope.not_yours(last)
        return found

    def readings(self, channel: Channel, span: Span, step_min: int, *, what: str = "readings") -> "Here":
        """Give `here`, and refuse a channel that stood elsewhere for a part of the span."""
        here = self.here(channel, span, step_min, what=what)
        held = sum(part.end_us - part.start_us for part in here.parts or ())
        if here.parts is not None and held < span.end_us - span.start_us:
            raise _elsewhere(channel.name)
        return here

    def here(self, channel: Channel, span: Span, step_min: int, *, what: str = "readings") -> "Here":
        """Give when of a span a channel stood at places of the reader's, and refuse what is not his of these times.

        Elsewhere it was another's meter: for this reader it was not there.
        """
        if self.scope.unbounded and self._log is None:
            return Here(None, 0)
        registry = self._now()
        step_min = whole_steps(span, step_min, registry.tz)
        parts: list[Span] = []
        finest = 0
        for one, part in _within(stood(registry, channel.name), span):
            above = frozenset(registry.tree.path(one.place))
            if not self.scope.sees(above):
                continue
            dwelling = is_dwelling(registry, one.place)
            want = Want((part.start_us, part.end_us), step_min, dwelling, 0, channel.reading.commodity, registry.tz)
            grant = self.scope.check(one.place, above, want)
            if grant is not None and grant.role.floor:
                raise below_floor(channel.name)  # one meter is no total
            finest = max(finest, self._finest(registry, one.place, want))
            if dwelling:
                self._note(grant, one.place, part, step_min, f"{what} of {channel.reading.commodity}")
            parts.append(part)
        return Here(tuple(parts), finest)

    def utilities(self, place: str) -> frozenset[str] | None:
        """Name the commodities of which a reader who may see a place is told; None: of all."""
        if not any(grant.commodities is not None for grant in self.scope.grants):
            return None
        above = frozenset(self._now().tree.path(place))
        told = [grant.commodities for grant in self.scope.held(above)]
        return frozenset().union(*(one for one in told if one is not None)) if None not in told else None

    def finest(self, place: str, span: Span) -> int:
        """Give the finest step [min] in which a reader who may see a place may read it: 0 where every reading."""
        registry = self._now()
        return 0 if self.scope.unbounded else self._finest(registry, place, self._want(registry, place, span, 0, ANY))

    def _finest(self, registry: Registry, place: str, want: Want) -> int:
        steps = (0, DAY_MIN, MONTH_MIN)
        return next((one for one in steps if self._allows(registry, place, replace(want, step_min=one))), MONTH_MIN)

    def clip(self, place: str, span: Span) -> Span | None:
        """Give the part of a span that is the reader's at a place: the latest, where there are several; None: nothing.

        A place that is none, or not his, is refused.
        """
        self.place(place)
        registry = self._now()
        above = frozenset(registry.tree.path(place))
        if self.scope.places is None or self.scope.places & above:
            return span
        windows = [
            (max(span.start_us, grant.from_us), min(span.end_us, grant.until_us)) for grant in self.scope.held(above)
        ]
        start, end = max(windows, key=lambda one: (one[1] > one[0], one[1], -one[0]))
        return Span(from_us(start), from_us(end)) if end > start else None

    def windows(self, place: str) -> list[tuple[int, int]] | None:
        """Give from when until when readings of a place may be seen, in microseconds; None: always."""
        registry = self._now()
        above = frozenset(registry.tree.path(place))
        if self.scope.places is None or self.scope.places & above:
            return None
        return [(grant.from_us, grant.until_us) for grant in self.scope.held(above)]

    def alike(self, place: str) -> tuple[Grant, ...] | None:
        """Give all of a reader's rights on which an answer about a place depends: who has the same is told the same.

        None where each reading is noted, or a reason counts: then every answer is to be read anew. Raises as `place`.
        """
        self.place(place)
        if self.scope.places is None:
            return () if self._log is None else None
        told = [grant.role for grant in self.scope.grants]
        if self.scope.places or any(role.logged or role.reason_below_min or role.floor for role in told):
            return None
        return tuple(grant if not grant.id else replace(grant, id="", purpose="") for grant in self.scope.grants)

    def own(self, channels: npt.NDArray[np.int32], span: Span) -> npt.NDArray[np.int32]:
        """Keep the channels that stood at places of the reader's for all of a span."""
        if self.scope.unbounded:
            return channels
        registry = self._now()
        names = {number: name for name, number in registry.channel_ids.items()}
        kept = [
            number
            for number in channels.tolist()
            if all(
                self.scope.sees(frozenset(registry.tree.path(one.place)))
                for one, _ in _within(stood(registry, names[number]), span)
            )
        ]
        return np.array(kept, np.int32)

    def without_figures(self, found: pa.Table, place: str) -> pa.Table:
        """Leave out the figures of findings for whose time begins: a usual value may be made of what was before."""
        windows = self.windows(place)
        if windows is None or all(start <= ALWAYS for start, _ in windows):
            return found
        at = found.column_names.index("detail")
        return found.set_column(at, found.schema.field("detail"), pa.array(["{}"] * found.num_rows, pa.string()))

    def unwidened(self, known: Registry, place: str, span: Span | None) -> None:
        """Refuse what an older registry counted at a place, where by what is known now it was another's."""
        if self.scope.unbounded:
            return
        registry = self._now()
        if known is registry or place not in known.tree:
            return
        numbers = set(channels_at(known, place).tolist()) - set(channels_at(registry, place).tolist())
        numbers |= set(channels_at(registry, place).tolist()) if is_dwelling(registry, place) else set()
        names = {number: name for name, number in registry.channel_ids.items() if number in numbers}
        for name in names.values():
            parts = stood(registry, name)
            inside = _within(parts, span) if span is not None else ((one, None) for one in parts)
            if not all(self.scope.sees(frozenset(registry.tree.path(one.place))) for one, _ in inside):
                raise _elsewhere(name)

    def _allows(self, registry: Registry, place: str, want: Want) -> bool:
        try:
            self.scope.check(place, frozenset(registry.tree.path(place)), want)
        except (Forbidden, NotFound):
            return False
        return True

    def _want(self, registry: Registry, place: str, span: Span | None, step_min: int, commodity: str | None) -> Want:
        dwelling = is_dwelling(registry, place)
        if span is None:
            return Want(None, step_min, dwelling) if dwelling else JUST_THE_PLACE
        below = 0 if dwelling else len(homes_below(registry, place))
        step_min = whole_steps(span, step_min, registry.tz)
        leaves = apart(registry, self.scope, place)
        return Want((span.start_us, span.end_us), step_min, dwelling, below, commodity, registry.tz, leaves)

    def _note(self, grant: Grant | None, place: str, span: Span, step_min: int, what: str) -> None:
        if self._log is None or (grant is not None and not grant.role.logged):
            return
        role = "operator" if grant is None else grant.role.name
        purpose = "" if grant is None else grant.purpose
        self._log.note(
            Read(place, span.start_us, span.end_us, step_min, what, self.scope.reader, role, self.scope.reason, purpose)
        )


@dataclass(frozen=True, slots=True)
class Here:
    """When of a span a channel was at places of the reader's (None: all of it), and how fine [min] he may read it."""

    parts: tuple[Span, ...] | None
    finest_min: int


def _within(parts: list[Stood], span: Span) -> Iterator[tuple[Stood, Span]]:
    """Cut a span where a channel stood at different places."""
    for one in parts:
        start, end = max(one.start_us, span.start_us), min(one.end_us, span.end_us)
        if start < end:
            yield one, Span(from_us(start), from_us(end))


def _elsewhere(name: str) -> Forbidden:
    return Forbidden(
        "stood elsewhere for a part of that time.",
        code="stood_elsewhere",
        place=name,
        remedy="Ask for the time in which the meter was yours.",
    )
