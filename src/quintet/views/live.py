"""What just changed at a place, as listeners get it: encoded once, however many they are."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from quintet.access import Change, Changes, Feed, Mark, Scope, Total, Watch
from quintet.terms.commodity import Commodities
from quintet.terms.errors import Forbidden, NotFound
from quintet.terms.period import day_of_number, from_us

from .answers import Answer
from .series import share


class LiveInterval(Answer, frozen=True):
    """One interval of one channel as it is now; `value` is null where nothing is known any more, as `quality` says."""

    channel: str
    start: datetime
    value: Decimal | None
    unit: str
    quality: str


class LiveTotal(Answer, frozen=True):
    """One flow of a place in one quarter hour (`start`) as it is now, over all meters that count there.

    `coverage` is the share of the minutes that are due which arrived, `estimated_share` that of the known minutes.
    """

    commodity: str
    quantity: str
    flow: str
    renewable: bool
    start: datetime
    value: Decimal | None
    unit: str
    coverage: float | None
    estimated_share: float | None


class LiveIntervals(Answer, frozen=True):
    """What a batch (or some that came close together) changed at a place: new amounts, not differences.

    Of a dwelling `intervals`; of a place above one `totals`, and in `days` the local days before those kept in memory
    in which something changed: they are to be read anew.
    """

    place: str
    batch: int
    known_at: datetime
    intervals: list[LiveInterval]
    totals: list[LiveTotal]
    days: list[date]


class LiveReset(Answer, frozen=True):
    """All that is shown of a place is to be read anew: what changed cannot be said one by one."""

    place: str
    batch: int


class LiveAlerts(Answer, frozen=True):
    """An alert of a dwelling was raised, changed, ended, called no problem or taken back: ask for its alerts again."""

    place: str
    batch: int


class LiveBye(Answer, frozen=True):
    """The stream ends. `reason`: `stopping` (come back in a while) or `gone` (the place is not yours to read)."""

    reason: str


class News(NamedTuple):
    """One event: its name, the batch up to which it speaks, its content as JSON, and another that goes before it."""

    event: str
    mark: Mark
    data: bytes
    first: "News | None" = None


__all__ = [
    "Live",
    "LiveAlerts",
    "LiveBye",
    "LiveInterval",
    "LiveIntervals",
    "LiveReset",
    "LiveTotal",
    "Mark",
    "News",
    "Watch",
    "news_of",
]
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def news_of(mark: Mark, content: LiveIntervals | LiveReset | LiveAlerts | LiveBye) -> News:
    """Give an event as it is told to every listener alike."""
    return News(EVENTS[type(content)], mark, _ENCODER.encode(content))


ALERTS = "alerts"
EVENTS: dict[type[Answer], str] = {
    LiveIntervals: "intervals", LiveReset: "reset", LiveAlerts: ALERTS, LiveBye: "bye",
}  # fmt: skip
"""What each content is called on the stream."""


class Live:
    """Follows places for one reader."""

    def __init__(self, feed: Feed, scope: Scope) -> None:
        """Follow through a feed, with the rights of a scope."""
        self._feed = feed
        self._scope = scope

    def follow(self, place: str) -> Watch:
        """Begin to follow a place; NotFound when there is none, Forbidden when it is not the reader's."""
        return self._feed.subscribe(self._scope, place)

    def now_us(self) -> int:
        """Give the moment by which rights to follow begin and end."""
        return self._feed.now_us()

    def still(self, watch: Watch) -> bool:
        """Tell whether the reader may follow at this moment what he began to follow."""
        try:
            stands = self._feed.may_follow(self._scope, watch.place) == watch.grant
        except (Forbidden, NotFound):
            return False
        if stands:
            self.followed(watch)
        return stands

    def followed(self, watch: Watch) -> None:
        """Say in the read log of a dwelling that it was followed up to now."""
        self._feed.follows(watch)

    def on_commit(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after every commit, in the committing thread; gives what ends that."""
        return self._feed.on_commit(wake)

    @property
    def newest(self) -> Mark:
        """The newest batch."""
        return self._feed.newest

    def is_dwelling(self, watch: Watch) -> bool:
        """Tell whether a place's meters are told one by one."""
        return watch.members.is_dwelling(watch.place)

    def news(self, watches: Sequence[Watch]) -> list[News | None]:
        """Give what is new at each place since it was last asked, None for nothing."""
        found = self._feed.news(watches)
        return [
            None if changes is None else self._told(watch.place, changes)
            for watch, changes in zip(watches, found, strict=True)
        ]

    def since(self, watch: Watch, last_event_id: str) -> tuple[Mark, News | None]:
        """Give up to which batch a listener is served who comes back with an id, and what he missed."""
        after = Mark.read(last_event_id)
        changes = Changes(self._feed.newest, anew=True) if after is None else self._feed.resume(watch, after)
        return changes.mark, self._told(watch.place, changes)

    def _told(self, place: str, changes: Changes) -> News | None:
        """Encode changes; None where there is nothing to say."""
        if not changes:
            return None
        if changes.gone:
            return news_of(changes.mark, LiveBye("gone"))
        if changes.anew:
            return news_of(changes.mark, LiveReset(place, changes.mark.batch))
        alerts = news_of(changes.mark, LiveAlerts(place, changes.mark.batch)) if changes.alerts else None
        if alerts is not None and not changes.amounts:
            return alerts
        registry = self._feed.registry
        tz = registry.tz
        answer = LiveIntervals(
            place,
            changes.mark.batch,
            from_us(changes.mark.stamp_us).astimezone(tz),
            [_interval(one, tz) for one in changes.intervals],
            [_total(one, registry.commodities, tz) for one in changes.totals],
            [day_of_number(number) for number in changes.days],
        )
        return news_of(changes.mark, answer)._replace(first=alerts)


def _interval(one: Change, tz: ZoneInfo) -> LiveInterval:
    value = None if one.value is None else one.unit.to_decimal(one.value)
    return LiveInterval(one.channel, from_us(one.start_us).astimezone(tz), value, one.unit.code, one.quality)


def _total(one: Total, commodities: Commodities, tz: ZoneInfo) -> LiveTotal:
    flow, commodity, quantity, renewable = one.key
    unit = commodities[commodity].display_unit(quantity)
    known = one.arrived_min + one.estimated_min
    return LiveTotal(
        commodity,
        quantity,
        flow,
        renewable,
        from_us(one.start_us).astimezone(tz),
        None if one.value is None else unit.to_decimal(one.value),
        unit.code,
        share(min(one.arrived_min / one.expected_min, 1.0)) if one.expected_min else None,
        share(one.estimated_min / known) if known else None,
    )
