"""Options that commands share: a resolution has one name, however it was written."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from quintet.app.city import City

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(("said", "meant"), [("60min", "hour"), ("1h", "hour"), ("24h", "day"), ("1month", "month")])
def test_equal_resolutions_give_the_same_answer(run: Run, tmp_path: Path, said: str, meant: str) -> None:
    City.create(tmp_path / "city").close()
    asked = ("balance", "--city", str(tmp_path / "city"), "--from", "2025-01-01", "--to", "2025-01-03")
    found, same = (run(*asked, "--resolution", one, "--format", "json") for one in (said, meant))
    assert found[0] == same[0] == 0
    read, meant_read = (json.loads(one[1]) for one in (found, same))
    assert read.get("interval") == meant_read.get("interval")
    assert read.get("rows") == meant_read.get("rows")


def test_a_resolution_that_nobody_knows_is_refused(run: Run, tmp_path: Path) -> None:
    code, _, err = run("balance", "--from", "2025-01-01", "--to", "2025-01-03", "--resolution", "week")
    assert code == 2
    assert "--resolution: there is no resolution 'week'. Known: 15min, 30min, hour, day, month" in err


def test_a_link_made_while_nothing_is_served_says_what_to_put_before_it(run: Run, tmp_path: Path) -> None:
    City.create(tmp_path / "city").close()
    of = ("--city", str(tmp_path / "city"))
    code, _, err = run("user", "grant", "mina", "--role", "operator", "--place", "city", *of)
    assert code == 1
    assert "`quintet user add` makes one" in err
    code, out, err = run("user", "add", "mina", *of, "--format", "json")
    assert code == 0
    assert json.loads(out)["link"].startswith("/enter#")
    assert "start `quintet serve`, and put its address before the link" in err
