"""Who may come and ask of the peopled city, what each may see, and how a foreign reading is recognised."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import httpx

from quintet.registry.person import Right
from quintet.terms.period import to_us

from .peopled import HOMES, HOURS, KINDS, MOVE, START, Peopled, amount, channel

NUMBER = re.compile(r"-?\d+\.\d+")
MOVE_HOUR = int((MOVE - START) / timedelta(hours=1))
REASON = "an audit"
Seen = tuple[str, int, int, tuple[str, ...], bool]
"""A dwelling, its hours from .. until, carriers, and whether hours (else days only) may be seen."""
ALL_KINDS = tuple(kind for kind, _ in KINDS)


@dataclass(frozen=True)
class Stranger:
    """One who asks: how he is called here, what he may see, which names he may read, and his browser."""

    name: str
    seen: tuple[Seen, ...]
    zone: str | None
    client: httpx.Client

    def numbers(self) -> frozenset[str]:
        """Give all readings that he must never be told: those of others, of other times, and finer than is his."""
        allowed: set[str] = set()
        for home, first, last, kinds, hours in self.seen:
            for kind in kinds:
                allowed |= days(home, kind, first, last)
                allowed |= told(home, kind, first, last) if hours else set()
        return everything() - allowed

    def names(self) -> tuple[str, ...]:
        """Give the names of dwellings and their meters that he must never be told."""
        hidden = [home for home in HOMES if self.zone is None or not f"{home}/".startswith(f"{self.zone}/")]
        return tuple(name for home in hidden for name in (home, home.replace("/", "-") + "-"))


def plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0")


@cache
def told(home: str, kind: str, first: int, last: int) -> frozenset[str]:
    number, at = HOMES.index(home), ALL_KINDS.index(kind)
    return frozenset(plain(amount(number, at, hour)) for hour in range(first, last))


@cache
def days(home: str, kind: str, first: int, last: int) -> frozenset[str]:
    """Give the sums of whole local days that lie within."""
    number, at = HOMES.index(home), ALL_KINDS.index(kind)
    return frozenset(
        plain(sum(amount(number, at, hour) for hour in range(day * 24, day * 24 + 24)))
        for day in range(2)
        if first <= day * 24 and day * 24 + 24 <= last
    )


@cache
def everything() -> frozenset[str]:
    every = ((home, kind) for home in HOMES for kind in ALL_KINDS)
    return frozenset(one for pair in every for one in told(*pair, 0, HOURS) | days(*pair, 0, HOURS))


def text_of(answer: httpx.Response) -> str:
    """Give what an answer says, unpacked where it is a bundle."""
    if answer.content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
            return "\n".join(bundle.read(name).decode("utf-8", "replace") for name in bundle.namelist())
    return answer.text


def foreign(stranger: Stranger, text: str, fine: bool) -> set[str]:
    """Give what of a text is not this stranger's: readings, and (in an answer that is no refusal) names."""
    found = {plain(float(one)) for one in NUMBER.findall(text)} & stranger.numbers()
    return found | ({name for name in stranger.names() if name in text} if fine else set())


def strangers(town: Peopled) -> Iterator[Stranger]:
    """Make one of each kind."""
    yield Stranger("nobody", (), None, town.client())
    whole = (0, HOURS, ALL_KINDS, True)
    for home in HOMES[2:5]:
        yield resident(town, home, START, (home, *whole))
    yield resident(town, HOMES[1], MOVE, (HOMES[1], MOVE_HOUR, HOURS, ALL_KINDS, True))
    yield resident(town, HOMES[1], START, (HOMES[1], 0, MOVE_HOUR, ALL_KINDS, True), "old")
    yield staff(town, "building_manager", "c1/101", (), {})
    of_c1 = tuple(home for home in HOMES if home.startswith("c1/"))
    yield staff(town, "operator", "c1", tuple((home, 0, HOURS, ALL_KINDS, False) for home in of_c1), {})
    reason = {"Quintet-Reason": REASON}
    yield staff(town, "operator", "c1", tuple((home, *whole) for home in of_c1), reason)
    yield staff(town, "analyst", "city", (), reason)
    yield from bearers(town)
    gone = town.person("gone", "operator", "city")
    client = town.signed_in(gone)
    town.city.people.revoke(gone, next(iter(gone.rights)), actor="test")
    yield Stranger("revoked", (), None, client)


def bearers(town: Peopled) -> Iterator[Stranger]:
    """Make those who show a token: of the household, of a third party, of the city, and one that has ended."""
    owner = town.person("owner", "resident", HOMES[5], START)
    client = town.signed_in(owner)
    agreed = client.post(
        "/api/v1/me/consents",
        json={"party": "Saver", "purpose": "advice", "until": "2026-04-01", "from": START.isoformat(),
              "commodities": ["water"], "may": ["read", "live"]},
    ).json()  # fmt: skip
    third = Stranger("consent", ((HOMES[5], 0, HOURS, ("water",), True),), HOMES[5], bearer(town, agreed["token"]))
    yield third
    made = client.post("/api/v1/me/tokens", json={"name": "panel", "may": ["read", "live"]}).json()
    yield Stranger("household", ((HOMES[5], 0, HOURS, ALL_KINDS, True),), HOMES[5], bearer(town, made["token"]))
    ended = client.post("/api/v1/me/tokens", json={"name": "old", "may": ["read", "live"]}).json()
    assert client.delete(f"/api/v1/me/tokens/{ended['id']}").status_code == 204
    yield Stranger("ended", (), None, bearer(town, ended["token"]))
    _, zone = town.city.tokens.create("zone", ("read", "live"), actor="test", place="c2", role="building_manager")
    yield Stranger("zone token", (), "c2", bearer(town, zone))
    _, sender = town.city.tokens.create("sender", ("readings",), actor="test")
    yield Stranger("sender", (), None, bearer(town, sender))


def bearer(town: Peopled, token: str) -> httpx.Client:
    client = town.client(Authorization=f"Bearer {token}")
    del client.headers["Origin"]
    return client


def resident(town: Peopled, home: str, since: datetime, seen: Seen, name: str = "new") -> Stranger:
    person = town.person(f"{name}-{home.replace('/', '.')}", "resident", home, since)
    return Stranger(f"{name} in {home}", (seen,), home, town.signed_in(person))


def staff(town: Peopled, role: str, zone: str, seen: tuple[Seen, ...], headers: dict[str, str]) -> Stranger:
    name = f"{role}-{zone.replace('/', '.')}-{len(headers)}"
    client = town.signed_in(town.person(name, role, zone))
    client.headers.update(headers)
    return Stranger(name, seen, None if zone == "city" else zone, client)


def random_stranger(town: Peopled, random: Random, number: int) -> Stranger:
    """Make a resident of some dwelling for some time."""
    home = random.choice([one for one in HOMES if one != HOMES[1]])
    first = random.randrange(HOURS)
    last = random.randrange(first + 1, HOURS + 1)
    person = town.city.people.add(f"r{number}", f"r{number}", actor="test")
    bounds = (to_us(START + timedelta(hours=first)), to_us(START + timedelta(hours=last)))
    town.city.people.grant(person, Right("resident", home, town.hand(), *bounds), actor="test")
    seen = (home, first, last, ALL_KINDS, True)
    return replace(Stranger(f"r{number}", (seen,), home, town.client()), client=town.signed_in(person))


def values_of(schema: dict[str, Any], name: str, asked: dict[str, Any]) -> Any:
    """Give a fitting value for a parameter or a field of a body."""
    if name in asked:
        return asked[name]
    if "enum" in schema:
        return schema["enum"][0]
    if "default" in schema and schema["default"] is not None:
        return schema["default"]
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return False
    if kind == "array":
        return []
    return "1" if schema.get("format") != "date" else "2026-03-03"


def requests_of(document: dict[str, Any], asked: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], Any]]:
    """Give a request of each operation: method, address, query, body."""
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            if said["operationId"] in LAST or streams(said):
                continue
            where: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
            for one in said.get("parameters", []):
                if one["required"] or one["name"] in asked:
                    where[one["in"]][one["name"]] = values_of(one["schema"], one["name"], asked)
            body = None
            content = said.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None:
                body = body_of(document, content["schema"], asked)
            yield method.upper(), path.format(**where["path"]), where["query"], body


def body_of(document: dict[str, Any], schema: dict[str, Any], asked: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return body_of(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], asked)
    fields = schema.get("properties", {})
    wanted = {*schema.get("required", ()), *(name for name in fields if name in asked)}
    return {name: values_of(fields.get(name, {}), name, asked) for name in sorted(wanted)}


def streams(said: dict[str, Any]) -> bool:
    """Tell whether an operation is answered by a stream that does not end by itself."""
    return "text/event-stream" in json.dumps(said.get("responses", {}))


LAST = {"delete_me", "delete_session"}
"""What ends the one who asks."""
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
