"""The dwellings that are told to Home Assistant: whose tokens stand, what is new there, what the broker is to keep."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

import msgspec

from quintet.registry.passes import counts
from quintet.terms.errors import Forbidden, NotFound
from quintet.terms.period import from_us
from quintet.views.identity import Reader
from quintet.views.live import ALERTS, Live, News, Watch

from .city import City
from .doorkeeper import CityDoorkeeper
from .home_assistant import (
    BIRTH,
    OFFLINE,
    ONLINE,
    TOP,
    USER,
    WON,
    Shown,
    device_of,
    discovery,
    keys_of,
    own_topics,
    state,
    totals_of,
)
from .home_assistant_values import Past, home_now, shown

MQTT = "mqtt"
"""What a token is for by which a dwelling is told to its Home Assistant."""
Keep = Callable[[str, bytes], None]


@dataclass
class Told:
    """A dwelling that is told: what it follows, and what the broker keeps of it by topic."""

    watch: Watch
    reader: Reader
    device: str
    past: Past = field(default_factory=Past)
    day: date | None = None
    """The local day that it was last told of: the won of today begin anew with the next."""
    kept: dict[str, bytes] = field(default_factory=dict[str, bytes])


@dataclass(frozen=True, slots=True)
class Turned:
    """What was turned on by a token: the dwelling, since when, and the device as which its Home Assistant knows it."""

    place: str
    since_us: int
    device: str


class Homes:
    """Says to `keep` what the broker is to keep of each dwelling; `tell` is for one thread, `heard` for any."""

    def __init__(self, city: City, keeper: CityDoorkeeper, live: Live) -> None:
        """Ask with the rights of who turned it on; `live` is for those who have none of their own."""
        self._city, self._keeper, self._live = city, keeper, live
        self._told: dict[str, Told] = {}
        self._floor: dict[str, dict[str, Decimal]] = {}
        """Totals that stood at the broker, by user: none is told lower."""
        self._listed: dict[str, set[str]] = {}
        """Sensors that its Home Assistant has, by user: one that is no more has to be taken back."""
        self._stray: set[str] = set()
        self._inbox: deque[tuple[str, bytes]] = deque()

    def forget(self) -> None:
        """Begin anew: there is a new connection, and what the broker keeps is yet to be heard."""
        self._told.clear()
        self._stray.clear()
        self._inbox.clear()

    def heard(self, topic: str, payload: bytes) -> None:
        """Note a message: what the broker keeps of a dwelling, or that its Home Assistant has come up."""
        self._inbox.append((topic, payload))

    def _hear(self, topic: str, payload: bytes) -> None:
        user, _, rest = topic.removeprefix(f"{TOP}/").partition("/")
        if not rest or not payload:
            return
        if topic == f"{TOP}/{user}{BIRTH}":
            if payload == ONLINE.encode() and user in self._told:
                self._told[user].kept.clear()
            return
        if rest == "state":
            self._rise(user, totals_of(payload))
        elif rest.endswith("/config"):
            self._listed.setdefault(user, set()).update(keys_of(payload))
        if user not in self._told:
            self._stray.add(topic)

    def standing(self) -> dict[str, Turned]:
        """Give the users whose tokens count, with the dwelling and since when."""
        now = self._city.people.now_us()
        return {
            f"{USER}{name}": Turned(said.place, said.created_us, device_of(person.id, said.place))
            for person in (self._city.people.listed() if self._city.people.present else ())
            for name, said in person.passes.items()
            if MQTT in said.may and counts(said, now)
        }

    def tell(self, keep: Keep) -> set[str]:
        """Look at all dwellings: begin with new ones, tell what is new, and take back what is no more to be told.

        Gives the users whose tokens counted when it looked: of all others everything is taken back.
        """
        while self._inbox:
            self._hear(*self._inbox.popleft())
        standing = self.standing()
        for user in [one for one in self._told if one not in standing]:
            self._end(user, keep)
        for user, turned in standing.items():
            if user not in self._told:
                self._begin(user, turned)
            if user in self._told:
                self._tell(user, turned, keep)
        for topic in self._strays():
            keep(topic, b"")
        self._stray.clear()
        return set(standing)

    def _strays(self) -> Iterator[str]:
        """Give what the broker keeps of dwellings that are not told: of tokens that ended while nobody looked."""
        own = {topic for user, one in self._told.items() for topic in own_topics(user, one.device).values()}
        yield from self._stray - own

    def _begin(self, user: str, turned: Turned) -> None:
        reader = self._keeper.by_pass(user.removeprefix(USER))
        if reader is None or home_now(reader, turned.place, self._city.now()) is None:
            return
        try:
            self._told[user] = Told(reader.live(self._live).follow(turned.place), reader, turned.device)
        except (Forbidden, NotFound):
            return

    def _tell(self, user: str, turned: Turned, keep: Keep) -> None:
        one = self._told[user]
        reader = one.reader.again()
        home = None if reader is None else home_now(reader, turned.place, self._city.now())
        if reader is None or home is None or not reader.live(self._live).still(one.watch):
            self._end(user, keep)
            return
        (news,) = reader.live(self._live).news([one.watch])
        news = None if news is not None and news.event == ALERTS else news
        today = from_us(self._city.now()).astimezone(self._city.engine.tz).date()
        if news is None and one.kept and one.day == today:
            return
        one.day = today
        if news is None or changed_before(news, today):
            one.past.forget()
        listed, floor = self._listed.setdefault(user, set()), self._floor.get(user, {})
        try:
            found = shown(reader, home, turned.since_us, self._city.now(), floor, one.past, priced=WON in listed)
        except (Forbidden, NotFound):
            self._end(user, keep)
            return
        self._rise(user, {sensor.key: sensor.total for sensor in found.sensors})
        for topic, payload in self._payloads(user, one.device, found, reader.language):
            if one.kept.get(topic) != payload:
                one.kept[topic] = payload
                keep(topic, payload)

    def _payloads(self, user: str, device: str, found: Shown, language: str) -> Iterator[tuple[str, bytes]]:
        """Give what is kept of a dwelling, what is discovered first; it is there once its values are."""
        topics, public = own_topics(user, device), self._keeper.public
        keys = {one.key for one in found.sensors} | ({WON} if found.priced else set())
        gone = sorted(self._listed[user] - keys)
        if gone:
            yield topics["config"], discovery(user, device, found, language, public, gone)
        self._listed[user] = keys
        yield topics["config"], discovery(user, device, found, language, public)
        yield topics["state"], state(found)
        yield topics["availability"], ONLINE.encode()

    def _end(self, user: str, keep: Keep) -> None:
        """Take a dwelling back: its Home Assistant forgets the device, and the broker keeps nothing of it."""
        one = self._told.pop(user)
        self._floor.pop(user, None)
        self._listed.pop(user, None)
        topics = own_topics(user, one.device)
        keep(topics["availability"], OFFLINE.encode())
        for name in ("config", "state", "availability"):
            keep(topics[name], b"")

    def _rise(self, user: str, totals: dict[str, Decimal]) -> None:
        floor = self._floor.setdefault(user, {})
        for key, total in totals.items():
            floor[key] = max(total, floor.get(key, total))


class _Changed(msgspec.Struct):
    start: datetime


class _Changes(msgspec.Struct):
    intervals: list[_Changed] | None = None
    days: list[date] = []


def changed_before(news: News, today: date) -> bool:
    """Tell whether something changed on a local day that is over, or nobody can say what did."""
    said = msgspec.json.decode(news.data, type=_Changes)
    if said.intervals is None or said.days:
        return True
    return any(one.start.date() < today for one in said.intervals)
