"""Consents, tokens, the floor of analysts, and erasure that backups cannot undo."""

import csv
import io
import json
import re
import sqlite3
import threading
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from quintet.access import EVERYTHING
from quintet.access.feed import Feed
from quintet.app.city import City
from quintet.app.making import restore_city
from quintet.app.requests_people import UserErase
from quintet.registry.person import RESIDENT, Right
from quintet.store.vault import FOLDER, KEYS, PEOPLE
from quintet.terms.errors import BadInput, Damaged, UsageError
from quintet.terms.period import to_us
from quintet.views.identity import AGAIN_US
from quintet.views.live import Live
from quintet.web.live_limits import Limits as LiveLimits

from .peopled import HOMES, NOW, START, Hand, Peopled, channel, made
from .strangers import bearer
from .test_accounts import code_of, hours

OWN = HOMES[4]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    yield out
    out.close()


def agreed(client: httpx.Client, **more: Any) -> dict[str, Any]:
    body = {"party": "Saver", "purpose": "advice", "until": "2026-04-01", "may": ["read", "live"]}
    answer = client.post("/api/v1/me/consents", json=body | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_third_party_sees_what_was_agreed_to_and_its_stream_ends_within_five_seconds(town: Peopled) -> None:
    owner = town.signed_in(town.person("owner", "resident", OWN))
    consent = agreed(owner, commodities=["water"], **{"from": (NOW - timedelta(hours=10)).isoformat()})
    third = bearer(town, consent["token"])
    recent = NOW - timedelta(hours=9)
    assert hours(third, channel(OWN, "water"), recent).status_code == 200
    assert code_of(hours(third, channel(OWN, "electricity"), recent)) == (403, "other_utility")
    assert code_of(hours(third, channel(OWN, "water"), START)) == (403, "before_your_time")
    assert code_of(third.get("/api/v1/me/consents")) == (403, "not_a_person")
    noted = owner.get("/api/v1/me/reads").json()["reads"]
    assert [(one["who"], one["role"], one["purpose"]) for one in noted] == [("Saver", "integrator", "advice")]
    ended, opened = threading.Event(), threading.Event()

    def listen() -> None:
        with third.stream("GET", "/api/v1/live", params={"place": OWN}) as answer:
            assert answer.status_code == 200
            for line in answer.iter_lines():
                opened.set()
                if line == "event: bye":
                    ended.set()

    thread = threading.Thread(target=listen)
    thread.start()
    assert opened.wait(30)
    began = time.monotonic()
    assert owner.delete(f"/api/v1/me/consents/{consent['id']}").status_code == 204
    assert ended.wait(30)
    assert time.monotonic() - began < 5, "a stream may outlive its consent by no more than 5 s"
    thread.join(30)
    assert code_of(hours(third, channel(OWN, "water"), recent)) == (401, "unknown_token")
    listed = owner.get("/api/v1/me/consents").json()["tokens"]
    assert listed[0]["revoked"]
    assert "token" not in listed[0] or listed[0]["token"] is None


def test_a_household_token_reads_and_does_no_more_and_ends_with_its_time(town: Peopled) -> None:
    owner = town.signed_in(town.person("owner", "resident", OWN))
    made_token = owner.post("/api/v1/me/tokens", json={"name": "panel", "may": ["read"], "until": "2026-03-06"}).json()
    panel = bearer(town, made_token["token"])
    assert hours(panel, channel(OWN, "water")).status_code == 200
    assert code_of(panel.get("/api/v1/live", params={"place": OWN})) == (403, "not_your_desk")
    assert code_of(panel.post("/api/v1/me/tokens", json={"name": "more", "may": ["read"]})) == (403, "not_a_person")
    foreign = owner.post("/api/v1/me/tokens", json={"name": "x", "may": ["read"], "place": HOMES[0]})
    assert code_of(foreign) == (404, "not_here")
    late = owner.post("/api/v1/me/tokens", json={"name": "x", "may": ["read"], "until": "2030-01-01"})
    assert code_of(late) == (422, "bad_until")
    town.hand.now += timedelta(days=3)
    assert code_of(hours(panel, channel(OWN, "water"))) == (401, "unknown_token")


def test_a_citys_token_has_a_place_a_role_and_an_end(town: Peopled) -> None:
    create = town.city.tokens.create
    until = to_us(NOW + timedelta(days=1))
    _, text = create("dash", ("read",), actor="t", place="c2", role="operator", until_us=until)
    dash = bearer(town, text)
    dash.headers["Quintet-Reason"] = "panel"
    assert hours(dash, channel(OWN, "water")).status_code == 200
    assert code_of(hours(dash, channel(HOMES[0], "water"))) == (403, "forbidden")
    assert code_of(dash.get("/metrics")) == (403, "not_your_desk")
    _, scrape = create("prometheus", ("metrics",), actor="t")
    assert bearer(town, scrape).get("/metrics").status_code == 200
    town.hand.now += timedelta(days=2)
    assert code_of(hours(dash, channel(OWN, "water"))) == (401, "unknown_token")
    for wrong in ({"place": "c2"}, {"role": "operator"}, {}, {"until_us": 1, "place": "c2", "role": "operator"}):
        with pytest.raises(UsageError):
            create("x", ("read",), actor="t", **wrong)


def test_an_analyst_gets_nothing_of_a_month_that_was_not_released_and_nothing_live(town: Peopled) -> None:
    analyst = town.signed_in(town.person("ana", "analyst", "city"))
    query = {"from": "2026-03", "to": "2026-04", "resolution": "month"}
    for place in ("city", "c1", "c1/101"):
        assert code_of(analyst.get("/api/v1/balances", params={**query, "place": place})) == (403, "not_released")
    cut = {**query, "from": START.isoformat(), "to": NOW.isoformat()}
    assert code_of(analyst.get("/api/v1/balances", params=cut)) == (403, "not_whole_months")
    for path in ("losses", "balance-trees", "conversions", "facilities", "self-sufficiency", "emissions"):
        assert analyst.get(f"/api/v1/{path}", params={**query, "place": "c1"}).status_code == 403, path
    assert code_of(analyst.get("/api/v1/live", params={"place": "city"})) == (403, "only_released")


def test_a_month_that_is_an_hour_long_is_an_hour(town: Peopled) -> None:
    """Who may read months only does not get an hour by calling it one."""
    manager = town.signed_in(town.person("manager", "building_manager", "c1/101"))
    hour = {"from": START.isoformat(), "to": (START + timedelta(hours=1)).isoformat(), "resolution": "month"}
    day = {"from": "2026-03-02", "to": "2026-03-03", "resolution": "month"}
    month = {"from": "2026-03", "to": "2026-04", "resolution": "month"}
    for asked, status in ((hour, 403), (day, 403), (month, 200)):
        for path, of in (("intervals", {"channel": channel(HOMES[0], "water")}), ("balances", {"place": "c1/101"})):
            answer = manager.get(f"/api/v1/{path}", params={**asked, **of})
            assert answer.status_code == status, (asked, path, answer.text)
    operator = town.signed_in(town.person("staff", "operator", "c1"))
    of = {"channel": channel(HOMES[0], "water"), "resolution": "day"}
    assert code_of(operator.get("/api/v1/intervals", params={**hour, **of})) == (403, "reason_needed")
    assert operator.get("/api/v1/intervals", params={**day, **of}).status_code == 200


def test_whoever_was_erased_stays_erased_after_an_older_backup_comes_back(town: Peopled, tmp_path: Path) -> None:
    for name, home in (("gone-for-good", HOMES[4]), ("stays", HOMES[5])):
        person = town.person(name, "resident", home)
        town.city.entrance.set_password(person, "a long sentence")
    city, backup = town.city, tmp_path / "backup"
    city.backup(backup)
    names = {str(path.relative_to(backup)) for path in backup.rglob("*") if path.is_file()}
    assert f"{FOLDER}/{PEOPLE}" in names
    assert not any(KEYS in name for name in names), "no backup holds the keys"
    assert not any(b"gone-for-good" in path.read_bytes() for path in backup.rglob("*") if path.is_file())
    key = (
        sqlite3.connect(city.folder / FOLDER / KEYS)
        .execute("select key from key where person = ?", [city.people.need("gone-for-good").id])
        .fetchone()[0]
    )
    town.ask(UserErase("gone-for-good"))
    assert not any(key in path.read_bytes() for path in city.folder.rglob("*") if path.is_file()), "the key is gone"
    keys = city.folder / FOLDER / KEYS
    answer = restore_city(backup, tmp_path / "again", lambda _step: None, keys).read()
    assert answer["erased_since"] == 1
    again = City.open(tmp_path / "again", now=town.hand)
    try:
        assert [one.profile.name for one in again.people.listed()] == ["stays"]
        assert again.entrance.sign_in("stays", "a long sentence", "here")[0].profile.name == "stays"
        assert not again.people.vault.orphans()
        assert [one.code for one in again.doctor(scrub=False).findings if one.code == "people"] == []
    finally:
        again.close()


def test_a_restored_city_without_keys_lets_nobody_in_and_says_so(town: Peopled, tmp_path: Path) -> None:
    town.person("somebody", "resident", OWN)
    town.city.backup(tmp_path / "backup")
    restore_city(tmp_path / "backup", tmp_path / "again", lambda _step: None)
    again = City.open(tmp_path / "again", now=town.hand)
    try:
        assert again.people.present
        assert again.people.listed() == []
        found = [one for one in again.doctor(scrub=False).findings if one.code == "people"]
        assert len(found) == 1
        assert "keys.sqlite" in found[0].place
    finally:
        again.close()
    with pytest.raises(BadInput, match="not there"):
        restore_city(tmp_path / "backup", tmp_path / "third", lambda _step: None, tmp_path / "nothing")


def test_what_is_sealed_opens_in_its_own_place_only(town: Peopled) -> None:
    one, other = town.person("one", "resident", OWN), town.person("other", "resident", HOMES[5])
    vault = town.city.people.vault
    vault.write(PEOPLE, "update sealed set body = (select body from sealed where person = ? and kind = 'profile') "
                "where person = ? and kind = 'profile'", [one.id, other.id])  # fmt: skip
    with pytest.raises(Damaged, match="does not open"):
        vault.opened("profile", other.id)


def test_all_my_data_can_be_taken_along_and_say_what_the_series_say(town: Peopled) -> None:
    client = town.signed_in(town.person("owner", "resident", OWN, START))
    got = client.get("/api/v1/me/export")
    assert got.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(got.text)))
    for kind in ("electricity", "water"):
        assert next(row for row in rows if row["commodity"] == kind)["value"], "it begins with what is known"
        own = [(row["start"], Decimal(row["value"])) for row in rows if row["commodity"] == kind and row["value"]]
        said = hours(client, channel(OWN, kind), START).text
        series = json.loads(said, parse_float=Decimal)["rows"]
        assert own == [(row["start"], row["value"]) for row in series if row["value"] is not None]
    assert {row["place"] for row in rows} == {OWN}
    with zipfile.ZipFile(io.BytesIO(client.get("/api/v1/me/export", params={"form": "xlsx"}).content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    numbers = {float(one) for one in re.findall(r'<c r="E\d+"><v>([\d.]+)</v>', sheet)}
    assert numbers == {float(row["value"]) for row in rows if row["value"]}
    for query, code in (
        ({"place": HOMES[0]}, (404, "not_here")),
        ({"from": "2025-01-01"}, (403, "before_your_time")),
        ({"form": "pdf"}, (400, "bad_form")),
        ({"from": "2026-03-03", "to": "2026-03-03"}, (400, "empty_range")),
    ):
        assert code_of(client.get("/api/v1/me/export", params=query)) == code, query


def test_a_session_that_ends_by_its_time_ends_its_streams_within_five_seconds(
    town: Peopled,
) -> None:
    """Nothing says that a time has come: it is asked again, often enough."""
    assert AGAIN_US / 1e6 + LiveLimits.shipped().sweep_s <= 5
    person = town.person("owner", "resident", OWN)
    reader = town.keeper.by_cookie(town.city.entrance.begin(person), "")
    live = Live(Feed(town.city.engine, town.city.registry, town.city.pipeline.recent), EVERYTHING)
    assert reader is not None
    watch = reader.live(live).follow(OWN)
    assert reader.may_follow(watch, live)
    town.hand.now += timedelta(days=400)
    assert not reader.may_follow(watch, live)


@pytest.mark.parametrize(("after", "may"), [(timedelta(days=2, hours=23), True), (timedelta(days=3), False)])
def test_a_right_that_ends_by_its_time_ends_its_streams(town: Peopled, after: timedelta, may: bool) -> None:
    began = town.hand.now
    person = town.city.people.add("guest", "Guest", actor="test")
    right = Right(RESIDENT, OWN, town.hand(), to_us(began), to_us(began + timedelta(days=3)))
    town.city.people.grant(person, right, actor="test")
    reader = town.keeper.by_cookie(town.city.entrance.begin(person), "")
    live = Live(Feed(town.city.engine, town.city.registry, town.city.pipeline.recent), EVERYTHING)
    assert reader is not None
    watch = reader.live(live).follow(OWN)
    assert reader.may_follow(watch, live)
    town.hand.now = began + after
    assert reader.may_follow(watch, live) is may


def test_a_right_that_is_valid_for_a_time_ends_its_streams_with_that(town: Peopled) -> None:
    person = town.city.people.add("guest", "Guest", actor="test")
    until = to_us(town.hand.now + timedelta(minutes=10))
    town.city.people.grant(person, Right(RESIDENT, OWN, town.hand(), valid_until_us=until), actor="test")
    reader = town.keeper.by_cookie(town.city.entrance.begin(person), "")
    live = Live(Feed(town.city.engine, town.city.registry, town.city.pipeline.recent), EVERYTHING)
    assert reader is not None
    watch = reader.live(live).follow(OWN)
    assert reader.may_follow(watch, live)
    town.hand.now += timedelta(minutes=11)
    assert not reader.may_follow(watch, live)
