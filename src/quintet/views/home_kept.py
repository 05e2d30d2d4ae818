"""What was told to homes, kept until it would be told otherwise: encoded once, given again to who has the same rights.

An answer stands while none of its channels was touched by a commit, the registry is the same one, the local day goes
on, and no moment has come from which the clock alone changes it. It is kept below nobody's rights: the key holds all
rights of the reader, which are found anew and checked before it is looked for. Where a reading is to be noted, nothing
is kept.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from quintet.access import Access
from quintet.access.scope import Grant
from quintet.access.touched import Touched
from quintet.tariffs.home_rates import HomeRates, rates_of
from quintet.terms.errors import QuintetError
from quintet.terms.period import Span, day_number, day_start, to_us

from .answers_home import HomeNow, Tile
from .catalogue import Catalogue
from .home_limits import home_limits
from .home_now import Today, read_day
from .home_services import Service, services_of
from .home_tiles import Behind, behind_of, made_tile, no_tiles, now_of
from .home_usual import Usual, usual_of

Key = tuple[str, tuple[Grant, ...]]
_ENCODER = msgspec.json.Encoder(decimal_format="number")
MOMENT = b'"known_at":"'
"""Where the moment of asking stands; in a name a quotation mark is escaped, so that this stands nowhere else."""
NO_TILES = b"[]}"


class Told(NamedTuple):
    """An answer as JSON around its moment of asking, and a digest of all but that moment."""

    head: bytes
    tail: bytes
    digest: str

    @classmethod
    def of(cls, body: bytes) -> "Told":
        """Cut an answer in two."""
        at = body.index(MOMENT) + len(MOMENT)
        head, tail = body[:at], body[body.index(b'"', at) :]
        return cls(head, tail, hashlib.blake2b(head + tail, digest_size=16).hexdigest())

    def at(self, moment: datetime) -> bytes:
        """Give the answer as asked at a moment on the city's clock."""
        return self.head + _ENCODER.encode(moment)[1:-1] + self.tail


def told_now(answer: HomeNow) -> Told:
    """Encode an answer."""
    return Told.of(_ENCODER.encode(answer))


@dataclass(slots=True)
class KeptService:
    """What is kept of one utility of a home; each stamp is of before it was read."""

    service: Service
    numbers: npt.NDArray[np.int32]
    behind: Behind | None = None
    behind_stamp: int = 0
    course: Usual | None = None
    tile: Tile | None = None
    """Without its hours, which stand in `body`."""
    body: bytes = b""
    tile_stamp: int = 0
    made_us: int = 0
    until_us: int = 0


@dataclass(slots=True)
class KeptHome:
    """What is kept of a home for readers of the same rights."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    registry: Any = None
    day: date | None = None
    since: datetime | None = None
    services: list[KeptService] = field(default_factory=list[KeptService])
    numbers: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    told: Told | None = None
    stamp: int = 0
    made_us: int = 0
    until_us: int = 0
    day_end_us: int = 0
    asked_s: float = 0.0
    """When somebody asked last, by the machine's own clock."""

    def begin(self, catalogue: Catalogue, place: str, today: Today) -> None:
        """Forget what was of another day, another registry or another stay."""
        if self.registry is catalogue.registry and (self.day, self.since) == (today.day, today.since):
            return
        ids = catalogue.registry.channel_ids
        self.services = [
            KeptService(one, np.array([ids[name] for name in one.channels], np.int32))
            for one in services_of(catalogue, place)
        ]
        every = [one.numbers for one in self.services]
        self.numbers = np.concatenate(every) if every else np.zeros(0, np.int32)
        self.registry, self.day, self.since, self.told = catalogue.registry, today.day, today.since, None
        self.day_end_us = to_us(today.span.end)


class KeptHomes:
    """What is kept of the homes of one city, the longest unasked let go first; safe for several threads."""

    def __init__(self, touched: Touched) -> None:
        """Believe what commits touched."""
        self.touched = touched
        self._lock = threading.Lock()
        self._homes: OrderedDict[Key, KeptHome] = OrderedDict()
        self._keys: dict[int, set[Key]] = {}
        """Of which homes each channel is, as far as they are kept."""
        self.hits = self.misses = 0

    def asked(self, key: Key, registry: object, now_us: int) -> Told | None:
        """Give what stands at this moment, to somebody who asks; it is made anew ahead for a while then."""
        home = self._homes.get(key)
        if home is None:
            return None
        home.asked_s = time.monotonic()
        return self.at_hand(key, registry, now_us)

    def at_hand(self, key: Key, registry: object, now_us: int) -> Told | None:
        """Give what stands at this moment, without waiting for anything."""
        home = self._homes.get(key)
        if home is None or home.told is None or home.registry is not registry:
            return None
        told, stamp = home.told, home.stamp
        if not home.made_us <= now_us < home.until_us or self.touched.since(home.numbers) > stamp:
            return None
        self.hits += 1
        return told

    def home(self, key: Key) -> KeptHome:
        """Give where a home's answer is kept."""
        with self._lock:
            found = self._homes.get(key)
            if found is None:
                found = self._homes[key] = KeptHome()
                while len(self._homes) > home_limits()["kept_homes"]:
                    old, gone = self._homes.popitem(last=False)
                    self._index(old, gone.numbers, none=True)
            self._homes.move_to_end(key)
            return found

    def looked_at(self, channels: Iterable[int]) -> list[Key]:
        """Name whose answers have some of these channels, and were asked for of late: who asked last comes first."""
        early = time.monotonic() - home_limits()["looked_at_s"]
        with self._lock:
            keys = {key for number in channels for key in self._keys.get(number, ())}
            found = [(home.asked_s, key) for key in keys if (home := self._homes.get(key)) and home.asked_s >= early]
        return [key for _, key in sorted(found, key=lambda pair: -pair[0])]

    def _index(self, key: Key, numbers: npt.NDArray[np.int32], *, none: bool) -> None:
        """Note of which home channels are, or that they are `none` of its any more; the lock is held."""
        for number in numbers.tolist():
            held = self._keys.setdefault(number, set())
            if none:
                held.discard(key)
            else:
                held.add(key)
            if not held:
                del self._keys[number]

    def lacks(self, key: Key, registry: object, now_us: int) -> bool:
        """Tell whether nothing is kept of a home for the present day."""
        home = self._homes.get(key)
        return home is None or home.told is None or home.registry is not registry or now_us >= home.day_end_us

    def make(
        self,
        key: Key,
        access: Access,
        catalogue: Catalogue,
        names: tuple[str, str],
        today_of: Callable[[], Today],
        stamp: int | None = None,
    ) -> Told:
        """Make a home's answer, of what still stands and what must be read; one maker a home at a time.

        `stamp` is of before anything was read, where something was read ahead.
        """
        home, ahead = self.home(key), stamp is not None
        with home.lock:
            stamp = self.touched.stamp if stamp is None else stamp
            today = today_of()
            now_us = to_us(today.now)
            stands = self.at_hand(key, catalogue.registry, now_us)
            if stands is not None:
                return stands
            self.misses += 1
            before = home.numbers
            home.begin(catalogue, key[0], today)
            if home.numbers is not before:
                with self._lock:
                    self._index(key, before, none=True)
                    self._index(key, home.numbers, none=key not in self._homes)
            rates = rates_of(catalogue.registry)
            access = access if ahead else _reading_usual(access, home, today)
            for one in home.services:
                self.refresh(one, access, key[0], today, rates, stamp)
            told = _composed(home, catalogue, key[0], names, today)
            bounds = [at for grant in key[1] for at in (grant.from_us, grant.until_us) if at > now_us]
            moments = [to_us(today.span.end), *(one.until_us for one in home.services), *bounds]
            home.told = None  # whoever looks meanwhile finds nothing rather than a mixture
            home.stamp, home.made_us, home.until_us = stamp, now_us, min(moments)
            home.told = told
            return told

    def refresh(self, one: KeptService, access: Access, place: str, today: Today, rates: HomeRates, stamp: int) -> None:
        """Read anew what of a utility was touched since it was kept, or has run out."""
        now_us = to_us(today.now)
        if one.behind is None or self.touched.since_before(one.numbers, day_number(today.day)) > one.behind_stamp:
            one.behind, one.behind_stamp = behind_of(access, one.service, place, today, rates), stamp
            one.course = one.tile = None
        fresh = one.tile is not None and one.made_us <= now_us < one.until_us
        if fresh and self.touched.since(one.numbers) <= one.tile_stamp:
            return
        reading = read_day(access, one.service, today, one.behind.days)
        usual = None
        if reading.as_of is not None and today.hours == 24:
            usual = one.course = one.course or course_of(access, one.service, today)
        made = made_tile(reading, usual, one.behind, today, rates)
        one.body = _ENCODER.encode(made.tile)
        one.tile = msgspec.structs.replace(made.tile, values=[], marks=[], usual_values=[])
        one.tile_stamp, one.made_us, one.until_us = stamp, now_us, to_us(made.until)


def usual_span(today: Today) -> Span | None:
    """Give the days that a usual is made of, as far as they are the reader's; None: none."""
    first = today.day - timedelta(days=home_limits()["usual_days_back"])
    first = first if today.whole is None else max(first, today.whole)
    return Span(day_start(first, today.tz), day_start(today.day, today.tz)) if first < today.day else None


def _reading_usual(access: Access, home: KeptHome, today: Today) -> Access:
    """Read the usual days of all utilities at once, where more than one is to be read and all of them may be."""
    lacking = [name for one in home.services if one.course is None for name in one.service.channels]
    span = usual_span(today)
    if len(lacking) < 2 or span is None:
        return access
    try:
        return access.having(access.ahead(lacking, span))
    except QuintetError:  # a meter may be wanted that is not his for all of that time, and perhaps is not read at all
        return access


def course_of(access: Access, service: Service, today: Today) -> Usual:
    """Read a utility's usual day."""
    return usual_of(access, service, today.day, today.tz, today.whole)


def _composed(home: KeptHome, catalogue: Catalogue, place: str, names: tuple[str, str], today: Today) -> Told:
    """Put an answer together of the tiles' bytes."""
    tiles = [(one.tile, one.body) for one in home.services if one.tile is not None]
    missing = no_tiles(catalogue, {tile.commodity for tile, _ in tiles})
    tiles += [(tile, _ENCODER.encode(tile)) for tile in missing]
    order = {code: at for at, code in enumerate(catalogue.registry.commodities.rows)}
    tiles.sort(key=lambda pair: order[pair[0].commodity])
    answer = now_of(catalogue, place, names, today, [tile for tile, _ in tiles])
    frame = _ENCODER.encode(msgspec.structs.replace(answer, tiles=[]))
    assert frame.endswith(NO_TILES)
    return Told.of(frame[: -len(NO_TILES)] + b"[" + b",".join(body for _, body in tiles) + b"]}")
