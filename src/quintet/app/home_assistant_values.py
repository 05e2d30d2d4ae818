"""A dwelling's totals for its Home Assistant, asked with the rights of who turned it on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal

from quintet.terms.commodity import commodities
from quintet.terms.period import from_us
from quintet.terms.unit import units
from quintet.views.answers import Interval, Meter
from quintet.views.answers_home import HomeNow
from quintet.views.identity import Home, Reader
from quintet.views.questions import Questions

from .home_assistant import Sensor, Shown, classes

LONGEST_PAGE = 1000


def home_now(reader: Reader, place: str, now_us: int) -> Home | None:
    """Give the dwelling that a token is for, where it is its holder's at this moment."""
    now = from_us(now_us)
    for one in reader.homes:
        if one.place == place and (one.since is None or one.since <= now) and (one.until is None or now < one.until):
            return one
    return None


@dataclass
class Past:
    """What each channel had used before a day began: read once a day, and anew when a day that is over has changed."""

    day: date | None = None
    totals: dict[str, Decimal] = field(default_factory=dict[str, Decimal])

    def forget(self) -> None:
        """Read it anew."""
        self.totals.clear()

    def on(self, day: date) -> dict[str, Decimal]:
        """Give what is known of what was used before a day."""
        if self.day != day:
            self.day = day
            self.totals.clear()
        return self.totals


def shown(
    reader: Reader,
    home: Home,
    since_us: int,
    now_us: int,
    floor: Mapping[str, Decimal],
    past: Past,
    *,
    priced: bool = False,
) -> Shown:
    """Give what is shown of a dwelling: totals since the day it was turned on (or moved into), never below `floor`.

    `priced`: the won of today had a sensor before. Raises Forbidden and NotFound where it is not the reader's any more.
    """
    questions = reader.questions
    tz, now = questions.tz, from_us(now_us)
    begun = datetime.combine(from_us(since_us).astimezone(tz).date(), time(), tz)
    start = begun if home.since is None else max(begun, home.since)
    today: HomeNow = questions.home.now(home.place)
    midnight = datetime.combine(today.day, time(), tz)
    day_start = max(midnight, start)
    language = f"name_{'ko' if reader.language == 'ko' else 'en'}"
    before, found = past.on(today.day), dict[str, Sensor]()
    for meter in questions.meters(place=home.place, limit=LONGEST_PAGE).meters:
        if meter.flow in classes().flows and units()[meter.display_unit].quantity in classes().quantities:
            if meter.channel not in before:
                before[meter.channel] = _total(_days(questions, meter, start, day_start))
            one = _sensor(meter, before[meter.channel], _days(questions, meter, day_start, now), today, language)
            found[one.key] = one if one.key not in found else _sum(found[one.key], one)
    sensors = [_held(one, floor.get(one.key)) for one in told_apart(list(found.values()))]
    return Shown(sensors, today.won, midnight, priced or today.won is not None)


def _days(questions: Questions, meter: Meter, start: datetime, end: datetime) -> list[Interval]:
    if end <= start:
        return []
    return questions.intervals(meter.channel, start.isoformat(), end.isoformat(), "day").rows


def _total(rows: Iterable[Interval]) -> Decimal:
    return sum((row.value for row in rows if row.value is not None), Decimal(0))


def _sensor(meter: Meter, before: Decimal, rows: Sequence[Interval], today: HomeNow, language: str) -> Sensor:
    table, flow = classes(), meter.flow or ""
    quantity = units()[meter.display_unit].quantity
    carrier = commodities().get(meter.commodity)
    words = [getattr(carrier, language) if carrier is not None else meter.commodity, table.flows[flow][language]]
    tile = next((one for one in today.tiles if one.commodity == meter.commodity), None)
    key = f"{meter.commodity}_{quantity}" if flow == "consumption" else f"{meter.commodity}_{quantity}_{flow}"
    return Sensor(
        key,
        " ".join(one for one in words if one),
        table.device_class(meter.commodity, quantity),
        table.quantities[quantity]["unit"],
        before + _total(rows),
        None if tile is None else tile.as_of,
        next((row.estimated_share for row in reversed(rows) if row.value is not None), None),
    )


def told_apart(sensors: Sequence[Sensor]) -> list[Sensor]:
    """Add its unit to the name of a sensor that is called as another: hot water by energy and by volume."""
    names = [one.name for one in sensors]
    return [one if names.count(one.name) == 1 else replace(one, name=f"{one.name} ({one.unit})") for one in sensors]


def _sum(one: Sensor, other: Sensor) -> Sensor:
    """Add a second meter of the same flow."""
    shares = [share for share in (one.estimated_share, other.estimated_share) if share is not None]
    return replace(one, total=one.total + other.total, estimated_share=max(shares, default=None))


def _held(one: Sensor, floor: Decimal | None) -> Sensor:
    return one if floor is None or one.total >= floor else replace(one, total=floor, held=True)
