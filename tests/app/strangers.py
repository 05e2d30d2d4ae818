"""Who may come and ask of the peopled city, and what each may see."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import httpx

from quintet.registry.person import Person, Right
from quintet.store.records import FOREVER
from quintet.terms.period import to_us

from .foreign import ALL_KINDS, MOVE_HOUR, Seen, foreign_numbers
from .peopled import HOMES, HOURS, MOVE, START, Peopled, channel

REASON = "an audit"
OWN = HOMES[5]
MARKS = ("Saver-of-c2", "panel-of-c2")
"""What the household of OWN named its third party and its token: nobody else is told."""


@dataclass(frozen=True)
class Stranger:
    """One who asks: how he is called here, what he may see, which names he may read, and his browser."""

    name: str
    seen: tuple[Seen, ...]
    zones: tuple[str, ...]
    client: httpx.Client
    owner: bool = False

    def names(self) -> tuple[str, ...]:
        """Give the names of dwellings and their meters that he must never be told, and of what others agreed to."""
        hidden = [
            home
            for home in HOMES
            if not any(zone == "city" or f"{home}/".startswith(f"{zone}/") for zone in self.zones)
        ]
        return (*(name for home in hidden for name in (home, home.replace("/", "-") + "-")), *self.unsaid())

    def unsaid(self) -> tuple[str, ...]:
        return () if self.owner else MARKS


def foreign(stranger: Stranger, text: str, fine: bool) -> set[str]:
    """Give what of a text is not this stranger's: readings, and (in an answer that is no refusal) names."""
    names = stranger.names() if fine else stranger.unsaid()
    return foreign_numbers(stranger.seen, text) | {name for name in names if name in text}


def strangers(town: Peopled) -> Iterator[Stranger]:
    """Make one of each kind."""
    yield Stranger("nobody", (), (), town.client())
    for home in HOMES[2:5]:
        yield resident(town, home, START, Seen(home))
    yield resident(town, HOMES[1], MOVE, Seen(HOMES[1], MOVE_HOUR))
    yield resident(town, HOMES[1], START, Seen(HOMES[1], 0, MOVE_HOUR), "old")
    yield staff(town, "building_manager", "c1/101", "month", {})
    yield staff(town, "operator", "c1", "day", {})
    yield staff(town, "operator", "c1", "hour", {"Quintet-Reason": REASON})
    yield staff(town, "analyst", "city", "", {"Quintet-Reason": REASON})
    yield from bearers(town)
    gone = town.person("gone", "operator", "city")
    client = town.signed_in(gone)
    town.city.people.revoke(gone, next(iter(gone.rights)), actor="test")
    yield Stranger("revoked", (), (), client)


def bearers(town: Peopled) -> Iterator[Stranger]:
    """Make those who show a token: of the household, of a third party, of the city, and such as have ended."""
    owner = town.person("owner", "resident", OWN, START)
    town.city.entrance.set_password(owner, "a sentence that is long enough")
    client = town.signed_in(owner)
    yield Stranger("owner", (Seen(OWN),), (OWN,), client, owner=True)
    third = consent(town, client, ("water",), START, MARKS[0])
    yield Stranger("consent", (Seen(OWN, kinds=("water",)),), (OWN,), third, owner=True)
    made = client.post("/api/v1/me/tokens", json={"name": MARKS[1], "may": ["read", "live"]}).json()
    yield Stranger("household", (Seen(OWN),), (OWN,), bearer(town, made["token"]), owner=True)
    ended = client.post("/api/v1/me/tokens", json={"name": "old", "may": ["read", "live"]}).json()
    assert client.delete(f"/api/v1/me/tokens/{ended['id']}").status_code == 204
    yield Stranger("ended", (), (), bearer(town, ended["token"]))
    yield Stranger("zone token", months("c2"), ("c2",), city_token(town, "zone", "building_manager", "c2"))
    yield Stranger("late token", (), (), city_token(town, "late", "operator", "city", ends=timedelta(minutes=5)))
    _, sender = town.city.tokens.create("sender", ("readings",), actor="test")
    yield Stranger("sender", (), (), bearer(town, sender))


def lies_in(home: str, zone: str) -> bool:
    return zone == "city" or f"{home}/".startswith(f"{zone}/")


def months(zone: str, fine: str = "month") -> tuple[Seen, ...]:
    """Give what a role sees of the dwellings of a zone."""
    return tuple(
        Seen(home, fine=fine) for home in HOMES if fine and (zone == "city" or f"{home}/".startswith(f"{zone}/"))
    )


def city_token(
    town: Peopled, name: str, role: str, place: str, *, ends: timedelta | None = None, gone: bool = False
) -> httpx.Client:
    """Give a browser with a token of the city's: one that ends so long after it was made, or one taken back."""
    until = 0 if ends is None else town.hand() + int(ends / timedelta(microseconds=1))
    made, secret = town.city.tokens.create(name, ("read", "live"), actor="test", place=place, role=role, until_us=until)
    if ends is not None:
        town.hand.now += ends
    if gone:
        town.city.tokens.revoke(made.id, actor="test")
    return bearer(town, secret)


def consent(
    town: Peopled, client: httpx.Client, kinds: Sequence[str], since: datetime, party: str = "Saver"
) -> httpx.Client:
    said = client.post(
        "/api/v1/me/consents",
        json={"party": party, "purpose": "advice", "until": "2026-04-01", "from": since.isoformat(),
              "commodities": list(kinds), "may": ["read", "live"]},
    ).json()  # fmt: skip
    return bearer(town, said["token"])


def bearer(town: Peopled, token: str) -> httpx.Client:
    client = town.client(Authorization=f"Bearer {token}")
    del client.headers["Origin"]
    return client


def resident(town: Peopled, home: str, since: datetime, seen: Seen, name: str = "new") -> Stranger:
    person = town.person(f"{name}-{home.replace('/', '.')}", "resident", home, since)
    return Stranger(f"{name} in {home}", (seen,), (home,), town.signed_in(person))


def staff(town: Peopled, role: str, zone: str, fine: str, headers: dict[str, str], name: str = "") -> Stranger:
    name = name or f"{role}-{zone.replace('/', '.')}-{len(headers)}"
    client = town.signed_in(town.person(name, role, zone))
    client.headers.update(headers)
    return Stranger(name, months(zone, fine), () if role == "analyst" else (zone,), client)


def random_stranger(town: Peopled, random: Random, number: int) -> Stranger:
    """Make somebody: mostly a resident of some dwelling for some time, each kind in turn."""
    make = KINDS_OF_STRANGERS[number % len(KINDS_OF_STRANGERS)]
    return make(town, random, f"r{number}")


def _random_resident(town: Peopled, random: Random, name: str) -> Stranger:
    seen = _stay(random)
    return Stranger(name, (seen,), (seen.home,), town.signed_in(_settled(town, name, seen)))


def _random_mover(town: Peopled, random: Random, name: str) -> Stranger:
    """Somebody who lived in two dwellings, one after the other."""
    first = _stay(random)
    second = _stay(random)
    person = _settled(town, name, first, second)
    return Stranger(name, (first, second), (first.home, second.home), town.signed_in(person))


def _random_third(town: Peopled, random: Random, name: str) -> Stranger:
    seen = _stay(random)
    kinds = random.choice((("water",), ("electricity",), ALL_KINDS))
    owner = town.signed_in(_settled(town, name, seen))
    since = random.randrange(seen.first, seen.last)
    if seen.last < HOURS:  # who has moved out can agree to nothing any more
        return Stranger(name, (seen,), (seen.home,), owner)
    third = consent(town, owner, kinds, START + timedelta(hours=since))
    return Stranger(name, (Seen(seen.home, since, seen.last, kinds),), (seen.home,), third)


def _random_staff(town: Peopled, random: Random, name: str) -> Stranger:
    role, fine, headers = random.choice(
        (
            ("building_manager", "month", {}),
            ("operator", "day", {}),
            ("operator", "hour", {"Quintet-Reason": REASON}),
            ("analyst", "", {"Quintet-Reason": REASON}),
        )
    )
    return staff(town, role, random.choice(ZONES), fine, headers, name)


def _random_token(town: Peopled, random: Random, name: str) -> Stranger:
    zone, fate = random.choice(ZONES), random.choice(("good", "ended", "taken back"))
    ends = timedelta(seconds=1) if fate == "ended" else None
    client = city_token(town, name, "building_manager", zone, ends=ends, gone=fate == "taken back")
    good = fate == "good"
    return Stranger(f"{name} ({fate})", months(zone) if good else (), (zone,) if good else (), client)


def _random_nobody(town: Peopled, random: Random, name: str) -> Stranger:
    """Somebody who shows nothing, or what proves nothing."""
    shown = random.choice(({}, {"Cookie": "quintet=made-up"}, {"Authorization": "Bearer qnt_0_made-up"}))
    return Stranger(name, (), (), town.client(**shown))


def _stay(random: Random) -> Seen:
    home = random.choice([one for one in HOMES if one != HOMES[1]])
    first = random.randrange(HOURS)
    last = random.choice((HOURS, random.randrange(first + 1, HOURS + 1)))
    return Seen(home, first, last)


def _settled(town: Peopled, name: str, *stays: Seen) -> Person:
    person = town.city.people.add(name, name, actor="test")
    for stay in stays:
        until = to_us(START + timedelta(hours=stay.last)) if stay.last < HOURS else FOREVER
        bounds = (to_us(START + timedelta(hours=stay.first)), until)
        town.city.people.grant(person, Right("resident", stay.home, town.hand(), *bounds), actor="test")
    return person


ZONES = ("c1", "c2", "c1/101", "c2/201", "city")
KINDS_OF_STRANGERS: tuple[Callable[[Peopled, Random, str], Stranger], ...] = (
    _random_resident, _random_mover, _random_resident, _random_third, _random_resident, _random_staff,
    _random_resident, _random_token, _random_mover, _random_nobody,
)  # fmt: skip
ASKED = [
    {"place": place, "channel": channel(home, kind), "from": start.isoformat(), "to": end.isoformat(),
     "resolution": step, "base_from": start.isoformat(), "base_to": end.isoformat(), "parent": place, "day": day,
     "level": "premise"}
    for place, home, kind, start, end, step, day in (
        (HOMES[1], HOMES[1], "water", START, MOVE, "hour", "2026-03-02"),
        (HOMES[1], HOMES[1], "electricity", MOVE, START + timedelta(hours=HOURS), "hour", "2026-03-03"),
        (HOMES[2], HOMES[2], "water", START, START + timedelta(days=2), "day", "2026-03-03"),
        (HOMES[4], HOMES[5], "electricity", START, START + timedelta(days=2), "hour", "2026-03-02"),
        ("c1/101", HOMES[0], "water", START, START + timedelta(days=2), "hour", "2026-03-03"),
        ("city", HOMES[3], "water", START, START + timedelta(days=2), "hour", "2026-03-04"),
    )
]  # fmt: skip
"""What is asked of every address: of own and foreign dwellings, a building and the city, by hours and days."""
