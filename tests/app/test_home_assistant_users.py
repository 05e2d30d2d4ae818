"""The broker's list of passwords: lines of dwellings come and go, everybody else's stay as they are."""

import base64
import hashlib
import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from quintet.app.home_assistant import (
    Sensor,
    Shown,
    classes,
    device_of,
    discovery,
    keys_of,
    own_topics,
    state,
    totals_of,
)
from quintet.app.home_assistant_users import Users, password_line
from quintet.app.home_assistant_values import told_apart
from quintet.terms.commodity import commodities
from quintet.terms.unit import units


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    path = tmp_path / "passwords"
    path.write_text("quintet:$7$101$x$y\nc001:$7$101$x$z\n", encoding="utf-8")
    path.chmod(0o640)
    return path


def names(path: Path) -> list[str]:
    return [line.partition(":")[0] for line in path.read_text(encoding="utf-8").splitlines()]


def test_only_lines_of_dwellings_change(passwords: Path) -> None:
    users = Users(passwords, None)
    users.add("home-1", "one")
    users.add("home-2", "two")
    before = passwords.read_text(encoding="utf-8")
    users.add("home-1", "another")
    assert names(passwords) == ["quintet", "c001", "home-2", "home-1"]
    assert passwords.read_text(encoding="utf-8") != before
    users.keep({"home-1"})
    assert names(passwords) == ["quintet", "c001", "home-1"]
    users.keep(set())
    assert passwords.read_text(encoding="utf-8") == "quintet:$7$101$x$y\nc001:$7$101$x$z\n"
    assert passwords.stat().st_mode & 0o777 == 0o640


def test_a_line_proves_its_word_alone() -> None:
    user, rest = password_line("home-1", "secret").split(":")
    kind, rounds, salt, digest = rest.removeprefix("$").split("$")
    made = hashlib.pbkdf2_hmac("sha512", b"secret", base64.b64decode(salt), int(rounds), 64)
    assert (user, kind, base64.b64decode(digest)) == ("home-1", "7", made)
    assert password_line("home-1", "secret") != password_line("home-1", "secret")


def test_without_a_list_nothing_is_written_and_a_stale_process_is_no_trouble(passwords: Path, tmp_path: Path) -> None:
    Users(None, None).add("home-1", "one")
    pid = tmp_path / "pid"
    for said in ("", "nobody", str(2**22 + os.getpid())):
        pid.write_text(said, encoding="ascii")
        Users(passwords, pid).keep({said})
        Users(passwords, pid).add(f"home-{len(said)}", "one")
    assert len(names(passwords)) == 3


def test_each_carrier_of_a_dwelling_has_a_class_that_takes_its_unit() -> None:
    """As Home Assistant's documentation lists them: energy in kWh, gas and water in m³."""
    takes = {"energy": {"kWh"}, "gas": {"m³"}, "water": {"m³"}}
    for code, one in commodities().rows.items():
        for quantity in one.measures if one.balanced else ():
            kind = classes().device_class(code, quantity)
            assert classes().quantities[quantity]["unit"] in takes[kind], code
            assert units()[one.measures[quantity]].code.replace("m3", "m³") == classes().quantities[quantity]["unit"]
    assert classes().device_class("gas", "volume") == "gas"
    assert classes().device_class("hot_water", "volume") == "water"


def test_a_carrier_in_two_quantities_has_its_unit_in_both_names() -> None:
    heat = Sensor("hot_water_energy", "Hot water", "energy", "kWh", Decimal(1), None, None)
    others = [replace(heat, key="hot_water_volume", unit="m³"), replace(heat, key="water_volume", name="Water")]
    assert [one.name for one in told_apart([heat, *others])] == ["Hot water (kWh)", "Hot water (m³)", "Water"]


def test_what_is_no_state_says_nothing() -> None:
    for payload in (b"", b"online", b"[]", b'{"a": 1}', b"\xff"):
        assert totals_of(payload) == {}
        assert keys_of(payload) == set()
    topics = own_topics("home-1", device_of("p1", "c1/101/1"))
    assert topics["birth"] == "quintet/home/home-1/homeassistant/status"
    assert re.fullmatch(r"quintet/home/home-1/homeassistant/device/quintet-[0-9a-f]{16}/config", topics["config"])
    assert device_of("p1", "c1/101/1") != device_of("p2", "c1/101/1")


def test_won_that_cannot_be_said_today_are_unknown_and_keep_their_sensor() -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    for won, priced, said in ((1200, True, 1200), (None, True, None)):
        home = Shown([], won, day, priced)
        assert "cost_today" in json.loads(discovery("home-1", "quintet-1", home, "en", ""))["components"]
        assert json.loads(state(home))["won"] == {"value": said, "last_reset": "2026-03-01T00:00:00Z"}
    never = Shown([], None, day, False)
    assert json.loads(discovery("home-1", "quintet-1", never, "en", ""))["components"] == {}
    assert json.loads(state(never)) == {}
