"""The city's clock, by which its days are kept: it stands from the first reading on."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from quintet.terms.errors import BadInput
from quintet.terms.reading import clock


def stated_clock(settings: Mapping[str, Any]) -> ZoneInfo | None:
    """Give the clock that settings (city.toml) state; raises BadInput for one that there is not."""
    city = settings.get("city")
    stated = city.get("timezone") if isinstance(city, dict) else None
    return clock(stated) if isinstance(stated, str) else None


def refuse_other_clock(settings: Mapping[str, Any], own: ZoneInfo, source: str) -> None:
    """Refuse settings of another clock than a city's own: the days that it keeps would be cut anew."""
    stated = stated_clock(settings)
    if stated is not None and stated.key != own.key:
        raise BadInput(
            f"goes by the clock of {stated.key}, and this city by that of {own.key}, in which its days are kept.",
            code="other_clock",
            place=f"{source}, [city] timezone",
            remedy=f'Write "{own.key}" there, or make a city of its own: `quintet init CITY --timezone {stated.key}`.',
        )
