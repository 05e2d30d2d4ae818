"""What operators record takes effect in every answer, closed days included; what cannot be is refused in words."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.requests import (
    AnyRequest,
    Balance,
    CloseDays,
    Ingest,
    Intervals,
    MoveIn,
    MoveOut,
    QuarantineList,
    RegistryExchange,
    RegistryRewire,
)
from quintet.app.run import Desk
from quintet.terms.errors import BadInput, NotFound, QuintetError, UsageError

METERS = """site,building,premise,meter,commodity,unit,value_kind,cadence_min,tz,role
c1,b,1,gas,gas,m3,register_cumulative,60,UTC,consumption
c1,b,1,power,electricity,kWh,interval_sum,60,UTC,consumption
c1,b,2,other,electricity,kWh,interval_sum,60,UTC,consumption
"""
DAYS = ("2025-02-01", "2025-02-03")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a city of two flats over two days: flat 1 uses 1 kWh and 0.5 m3 an hour, flat 2 3 kWh."""
    City.create(tmp_path / "city", timezone="UTC").close()
    lines = ["site,meter,ts_utc,value"]
    for hour in range(48):
        at = f"2025-02-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z"
        lines += [f"c1,power,{at},1", f"c1,other,{at},3"]
        lines += [f"c1,gas,{at},{100 + hour / 2}"] if hour < 36 else []
    (tmp_path / "meters.csv").write_text(METERS)
    (tmp_path / "readings.csv").write_text("\n".join(lines) + "\n")
    desk = Desk(tmp_path / "city")
    desk.perform(Ingest([str(tmp_path)]), no_progress)
    yield desk
    desk.close()


def asked(desk: Desk, request: AnyRequest) -> Any:
    return json.loads(desk.perform(request, no_progress).document, parse_float=Decimal)


def used(desk: Desk, place: str, commodity: str) -> list[Any]:
    rows = asked(desk, Balance(*DAYS, "day", place))["rows"]
    return [row["consumption"] for row in rows if row["commodity"] == commodity]


@pytest.mark.parametrize(
    ("at", "final", "hour", "parts"),
    [("12:00", "118", 35, [Decimal("0.5"), None]), ("11:30", "117.75", 35, [Decimal("0.25"), Decimal("0.25")])],
)
def test_after_an_exchange_both_meters_registers_count(
    desk: Desk, tmp_path: Path, at: str, final: str, hour: int, parts: list[Decimal | None]
) -> None:
    told = asked(desk, RegistryExchange("c1/gas", {"meter": "gas2"}, f"2025-02-02T{at}:00Z", final, "7"))
    assert (told["new"], told["readings"]) == ("gas2", 2)
    late = tmp_path / "late.csv"
    begun = 118 - float(final)
    lines = [f"c1,gas2,2025-02-02T{12 + n}:00:00Z,{7 + begun + n / 2}" for n in range(12)]
    late.write_text("\n".join(["site,meter,ts_utc,value", *lines, f"c1,gas2,2025-02-03T00:00:00Z,{13 + begun}"]) + "\n")
    asked(desk, Ingest([str(late)]))
    series = [asked(desk, Intervals(name, *DAYS, "hour"))["rows"] for name in ("c1/gas", "c1/gas2")]
    assert [rows[hour]["value"] for rows in series] == parts
    assert sum(row["value"] or 0 for rows in series for row in rows) == 24, "48 hours of half a cubic metre"
    assert asked(desk, QuarantineList())["quarantine"] == []


@pytest.mark.parametrize("close", [False, True])
def test_a_rewiring_takes_effect_in_open_and_closed_days(desk: Desk, close: bool) -> None:
    if close:
        assert asked(desk, CloseDays())["closed_days"] == 2
    assert (used(desk, "c1/b/1", "electricity"), used(desk, "c1/b/2", "electricity")) == ([24, 24], [72, 72])
    told = asked(desk, RegistryRewire("c1/other", "2025-02-02", place="c1/b/1"))
    assert told["changed"]
    assert used(desk, "c1/b/1", "electricity") == [24, 96]
    assert desk.city().refresh_flows() == [], "closed days are summed anew by the command itself"
    assert not asked(desk, RegistryRewire("c1/other", "2025-02-02", place="c1/b/1"))["changed"]


def test_people_move_in_and_out(desk: Desk) -> None:
    assert asked(desk, MoveIn("c1/b/1", "4711", "2025-02-01"))["changed"]
    with pytest.raises(BadInput, match="4711 lives there"):
        asked(desk, MoveIn("c1/b/1", "4712", "2025-02-02"))
    assert asked(desk, MoveOut("c1/b/1", "2025-02-02"))["changed"]
    assert not asked(desk, MoveOut("c1/b/1", "2025-02-02"))["changed"]
    assert asked(desk, MoveIn("c1/b/1", "4712", "2025-02-02"))["changed"]
    assert asked(desk, MoveOut("c1/b/2", "2025-02-02"))["changed"], "who was there before anybody stated it"
    assert used(desk, "c1/b/1", "electricity") == [24, 24]


@pytest.mark.parametrize(
    ("request_", "error", "said"),
    [
        (RegistryExchange("c1/none", {"meter": "x"}, "2025-02-02"), NotFound, "c1/none"),
        (RegistryExchange("c1/gas", {"meter": "power"}, "2025-02-02"), BadInput, "there already"),
        (RegistryExchange("c1/gas", {"meter": "x"}, "2025-02-02", "much"), UsageError, "--old-final 'much'"),
        (RegistryExchange("c1/gas", {"meter": "x"}, "2025-02-02", None, "-1"), UsageError, "--new-first '-1'"),
        (RegistryExchange("c1/gas", {"meter": "x"}, "2025-02-02", None, "nan"), UsageError, "no register"),
        (RegistryExchange("c1/power", {"meter": "x"}, "2025-02-02", "5"), UsageError, "has no register"),
        (RegistryExchange("c1/gas", {"meter": "x"}, "2025-02-02T00:00:00"), UsageError, "offset"),
        (RegistryRewire("c1/gas", "2025-02-02"), UsageError, "either a place or a usage point"),
        (RegistryRewire("c1/gas", "2025-02-02", place="nowhere"), NotFound, "nowhere"),
        (MoveOut("c1/b", "2025-02-02"), NotFound, "nobody lives there"),
        (CloseDays("2999-01-01"), UsageError, "is to come"),
        (CloseDays("Monday"), UsageError, "is no day"),
    ],
)
def test_what_cannot_be_recorded_changes_nothing(
    desk: Desk, request_: AnyRequest, error: type[QuintetError], said: str
) -> None:
    before = desk.city().engine.last_batch
    with pytest.raises(error, match=said):
        desk.perform(request_, no_progress)
    assert desk.city().engine.last_batch == before


def test_closing_says_which_days(desk: Desk) -> None:
    assert asked(desk, CloseDays("2025-02-02")) == {"closed_days": 1, "first": "2025-02-01", "last": "2025-02-01"}
    assert asked(desk, CloseDays())["last"] == "2025-02-02"
    assert asked(desk, CloseDays()) == {"closed_days": 0, "first": None, "last": None}
