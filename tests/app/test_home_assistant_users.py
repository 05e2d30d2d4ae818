"""The broker's list of passwords: lines of dwellings come and go, everybody else's stay as they are."""

import base64
import hashlib
import os
from pathlib import Path

import pytest

from quintet.app.home_assistant import classes, own_topics, totals_of
from quintet.app.home_assistant_users import Users, password_line
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


def test_what_is_no_state_says_nothing() -> None:
    for payload in (b"", b"online", b"[]", b'{"a": 1}', b"\xff"):
        assert totals_of(payload) == {}
    assert own_topics("home-1")["birth"] == "quintet/home/home-1/homeassistant/status"
