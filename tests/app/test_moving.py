"""Who moved out keeps his own past in the page; a meter that came from another flat takes nothing away."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from quintet.app.requests import MoveIn, MoveOut
from quintet.app.requests_people import InviteCreate
from quintet.registry.changes import rewire

from .peopled import HOMES, KINDS, MOVE, NOW, PASSWORD, START, Hand, Peopled, amount, channel, made
from .test_accounts import code_of

LEFT, OTHER = HOMES[1], HOMES[0]
HOUR = timedelta(hours=1)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    yield out
    out.close()


def page(client: httpx.Client, what: str, place: str, **more: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/home/{what}", params={"place": place, **more})
    assert answer.status_code == 200, (what, answer.text)
    return answer.json()


def used(home: str, first: datetime, end: datetime, kind: int = 1) -> Decimal:
    hours = range(int((first - START) / HOUR), int((end - START) / HOUR))
    return sum((Decimal(str(amount(HOMES.index(home), kind, hour))) for hour in hours), Decimal(0))


def test_who_moved_out_keeps_history_and_bills_of_his_time_and_is_told_so(town: Peopled) -> None:
    alice = town.signed_in(town.person("alice", "resident", LEFT, START))
    now = alice.get("/api/v1/home/now", params={"place": LEFT})
    assert code_of(now) == (403, "stay_ended")
    assert "2026-03-03T08:59:59+09:00" in now.json()["detail"] + now.json().get("title", "")
    end = MOVE - HOUR
    day = page(alice, "history", LEFT, utility="water")
    assert (day["first"], day["value"] if "value" in day else day["total"]) == (
        "2026-03-03",
        pytest.approx(float(used(LEFT, START + 24 * HOUR, MOVE)), abs=1e-6),
    )
    known = [row for row in day["rows"] if row["value"] is not None]
    assert len(known) == int((end - START - 24 * HOUR) / HOUR) + 1
    for length in ("week", "month", "year"):
        told = page(alice, "history", LEFT, utility="water", length=length)
        assert told["total"] == pytest.approx(float(used(LEFT, START, MOVE)), abs=1e-6), length
    bill = page(alice, "bill", LEFT)
    water = next(one for one in bill["lines"] if one["commodity"] == "water")
    assert (water["use"], bill["last"], water["ahead"]) == (
        pytest.approx(float(used(LEFT, START, MOVE)), abs=1e-6), "2026-03-02", None,
    )  # fmt: skip
    assert page(alice, "bill", LEFT, month="2026-03")["lines"] == bill["lines"]
    page(alice, "compare", LEFT)
    page(alice, "less", LEFT)


def test_who_is_to_move_in_is_told_when_his_page_opens(town: Peopled) -> None:
    comes = NOW + timedelta(days=6)
    town.ask(MoveOut(LEFT, (NOW + timedelta(days=5)).isoformat()))
    town.ask(MoveIn(LEFT, "family-next", comes.isoformat()))
    code = town.ask(InviteCreate(LEFT, start=comes.isoformat())).read()["code"]
    entered = town.client().post(
        "/api/v1/invitations:accept", json={"code": code, "name": "next", "password": PASSWORD}
    )
    hana = town.client(Cookie=entered.headers["set-cookie"].split(";")[0])
    early = hana.get("/api/v1/home/now", params={"place": LEFT})
    assert code_of(early) == (403, "not_yet_yours")
    assert comes.astimezone(town.city.registry().tz).isoformat() in early.text


def test_a_meter_from_another_flat_leaves_the_page_and_the_export_whole(town: Peopled) -> None:
    came = START + 50 * HOUR
    moved = rewire(town.city.registry(), channel(LEFT, "water"), valid_from=came, place=OTHER)
    town.city.pipeline.apply_records(moved, kind="registry", source="test", actor="test")
    bob = town.signed_in(town.person("bob", "resident", OTHER, START))
    tiles = {tile["commodity"]: tile for tile in page(bob, "now", OTHER)["tiles"]}
    day = START + 48 * HOUR
    hours = int((NOW - day) / HOUR)
    assert tiles["electricity"]["use"] is not None
    own = used(OTHER, day, day + hours * HOUR) + used(LEFT, came, day + hours * HOUR)
    assert float(tiles["water"]["use"]) == pytest.approx(float(own), abs=2e-6), "its own hours and no other's"
    page(bob, "bill", OTHER)
    for length in ("day", "month", "year"):
        page(bob, "history", OTHER, utility="water", length=length)
    days = bob.get("/api/v1/dwelling-days", params={"place": OTHER, "day": date(2026, 3, 4).isoformat()})
    assert days.status_code == 200, days.text
    export = bob.get("/api/v1/me/export", params={"form": "csv"})
    assert export.status_code == 200
    rows = list(csv.DictReader(io.StringIO(export.text)))
    foreign = [row for row in rows if row["channel"] == channel(LEFT, "water") and row["value"]]
    assert foreign
    assert min(datetime.fromisoformat(row["start"]) for row in foreign) == came
    assert {row["commodity"] for row in rows} == {kind for kind, _ in KINDS}
    before = bob.get("/api/v1/intervals", params={
        "channel": channel(LEFT, "water"), "from": START.isoformat(), "to": came.isoformat(), "resolution": "hour",
    })  # fmt: skip
    assert all(row["value"] is None and row["coverage"] is None for row in before.json()["rows"])
