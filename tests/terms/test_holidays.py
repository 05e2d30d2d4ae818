"""Public holidays by zone: dated, sourced, and none where nobody said any."""

from datetime import date
from typing import Any

import pytest

from quintet.terms import holidays
from quintet.terms.errors import BadInput
from quintet.terms.holidays import holidays_of

ROW: dict[str, Any] = {
    "zones": ["Asia/Seoul"], "source": "a law", "date": date(2026, 1, 1), "every_year": ["03-01"], "years": {},
}  # fmt: skip


def refuse(rows: dict[str, Any], monkeypatch: pytest.MonkeyPatch, match: str) -> None:
    """Expect a table to be refused."""
    monkeypatch.setattr(holidays, "read_toml", lambda *_: {"calendar": rows})
    holidays_of.cache_clear()
    with pytest.raises(BadInput, match=match):
        holidays_of("Asia/Seoul")
    monkeypatch.undo()
    holidays_of.cache_clear()


def test_a_zone_has_its_countrys_holidays_and_others_none() -> None:
    korean = holidays_of("Asia/Seoul")
    assert {date(2025, 1, 29), date(2025, 3, 1), date(2051, 3, 1)} <= korean
    assert date(2025, 3, 4) not in korean
    assert holidays_of("UTC") == frozenset()


def test_a_bad_calendar_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse({"KR": {**ROW, "colour": 1}}, monkeypatch, "unknown colour")
    refuse({"KR": {**ROW, "source": " "}}, monkeypatch, "no source")
    refuse({"KR": ROW, "XX": ROW}, monkeypatch, "two calendars")
