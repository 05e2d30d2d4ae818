"""Who reads a dwelling by whole steps draws no finer curve by the difference of two answers."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from .peopled import HOMES, HOURS, NOW, Hand, Peopled, channel, made, send
from .test_accounts import code_of

OWN = HOMES[0]
STAFF = [("building_manager", "month"), ("operator", "day")]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    yield out
    out.close()


def told(client: httpx.Client, step: str, known_at: str = "") -> list[Any]:
    """Give every amount that a dwelling's running month has in any answer."""
    span = {"from": "2026-03", "to": "2026-04", "resolution": step}
    known = {"known_at": known_at} if known_at else {}
    asked = [
        ("intervals", {"channel": channel(OWN, "water"), **span}),
        ("balances", {"place": OWN, **span}),
        ("balance-trees", {"place": "c1/101", **span}),
        ("bills", {"place": OWN, "month": "2026-03"}),
    ]
    out: list[Any] = []
    for path, query in asked:
        answer = client.get(f"/api/v1/{path}", params={**query, **known})
        assert answer.status_code == 200, (path, answer.text)
        out.append((path, list(amounts(answer.json()))))
    return out


def amounts(said: Any, key: str = "") -> Iterator[Any]:
    """Go through all that is said but the moments of asking."""
    if isinstance(said, dict):
        for name, part in said.items():
            yield from amounts(part, name)
    elif isinstance(said, list):
        for part in said:
            yield from amounts(part, key)
    elif key not in ("known_at", "now", "as_of", "rule_set") and said is not None:
        yield key, said


@pytest.mark.parametrize(("role", "step"), STAFF)
def test_a_running_month_says_nothing_of_the_hour_that_came_in(town: Peopled, role: str, step: str) -> None:
    person = town.person("staff", role, "c1")
    moments = [town.hand.now]
    before = told(town.signed_in(person), step)
    for hour in (HOURS, HOURS + 1):
        town.hand.now = NOW + timedelta(hours=hour - HOURS + 1, minutes=1)
        send(town.city, range(hour, hour + 1))
        moments.append(town.hand.now + timedelta(seconds=10))
        town.hand.now += timedelta(minutes=1)
        assert told(town.signed_in(person), step) == before
    answers = [told(town.signed_in(person), step, moment.isoformat()) for moment in moments]
    assert answers[0] == answers[1] == answers[2]


def test_who_says_why_and_who_lives_there_are_told_all(town: Peopled) -> None:
    operator = town.signed_in(town.person("staff", "operator", "c1"))
    operator.headers["Quintet-Reason"] = "a dead meter"
    owner = town.signed_in(town.person("owner", "resident", OWN, NOW - timedelta(days=60)))
    span = {"channel": channel(OWN, "water"), "from": "2026-03-02", "to": "2026-03-05", "resolution": "day"}
    answers = [client.get("/api/v1/intervals", params=span).json()["rows"] for client in (operator, owner)]
    assert answers[0] == answers[1]
    assert all(row["value"] for row in answers[0])
    del operator.headers["Quintet-Reason"]
    plain = operator.get("/api/v1/intervals", params=span).json()["rows"]
    assert [row["value"] for row in plain] == [*(row["value"] for row in answers[0][:2]), None]
    assert plain[2]["coverage"] is None, "a day that is not over is not due to him"


def test_a_month_that_is_over_is_told_with_what_came_late(town: Peopled) -> None:
    town.hand.now = NOW + timedelta(days=30)
    manager = town.signed_in(town.person("manager", "building_manager", "c1"))
    query = {"place": OWN, "from": "2026-03", "to": "2026-04", "resolution": "month"}
    whole = manager.get("/api/v1/balances", params=query)
    send(town.city, range(HOURS, HOURS + 1))
    town.hand.now += timedelta(minutes=1)
    later = manager.get("/api/v1/balances", params=query)
    assert (whole.status_code, later.status_code) == (200, 200)
    assert list(amounts(whole.json())) != list(amounts(later.json()))
    hour = {"channel": channel(OWN, "water"), "from": "2026-03-02T00:00:00+09:00", "to": "2026-03-02T01:00:00+09:00"}
    fine = manager.get("/api/v1/intervals", params={**hour, "resolution": "hour"})
    assert code_of(fine) == (403, "too_fine_for_role")
