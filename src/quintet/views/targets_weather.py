"""What weather explains of a place's use: a degree-day model by carrier, fitted on the first of two periods."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np

from quintet.access import Access
from quintet.access.weather import without_station
from quintet.ledger.degree_days import Degrees, Fit, Floats, bases, day_means, degrees_of, fit, weather_part
from quintet.terms.errors import UsageError
from quintet.terms.period import Span, day_start, from_us, to_us

from .answers_targets import CarrierWeather, DegreePeriod, WeatherChange, WeatherModel
from .panel import SIGNS, USE, Carrier, Filled, Panel, days_of, filled, panel

NO_USE = "no use of it is known in the first period"
FINE = 6


@dataclass(frozen=True, slots=True)
class WeatherOf:
    """A carrier's model, and what of the second period's use it owes to other weather; or why there is none."""

    model: Fit | None
    part: int | None
    reason: str | None


@dataclass(frozen=True)
class Two:
    """Two periods of a place, read by one access: meters, degree days (or why not), and each carrier's weather."""

    base: Panel
    other: Panel
    base_degrees: Degrees | str
    degrees: Degrees | str
    weather: Mapping[Carrier, WeatherOf]
    known_us: int
    rule_set: str

    def used(self, carrier: Carrier) -> tuple[Filled, Filled]:
        """Give a carrier's use in both periods, with what was not heard filled in."""
        use = {flow: SIGNS[flow] for flow in USE}
        return filled(self.base, self.other, carrier, use), filled(self.other, self.base, carrier, use)


def two_periods(known: Access, place: str, base: Span, other: Span, tz: ZoneInfo) -> Two:
    """Read both periods, and fit each carrier's use of the first to its degree days.

    Raises UsageError for a span that cuts days or is too long, NotFound for a place that is none.
    """
    with known.asking(place) as asked:
        known_us, rule_set, until_us = asked.known_us, asked.rule_set, asked.until_us
    if max(base.end_us, other.end_us) > until_us:
        raise UsageError(
            "a period is not over yet.", code="not_over", place="to", remedy="Compare days that have passed."
        )
    panels = [panel(known, place, *days_of(span, tz)) for span in (base, other)]
    means = [_means(known, place, one, tz) for one in panels]
    unsaid = without_station(known.registry(), place)
    degrees = [unsaid or degrees_of(one) for one in means]
    carriers = sorted(panels[0].daily.keys() | panels[1].daily.keys())
    found = {one: _weather(panels[0], one, means[0], *degrees) for one in carriers}
    return Two(panels[0], panels[1], degrees[0], degrees[1], found, known_us, rule_set)


def _means(known: Access, place: str, of: Panel, tz: ZoneInfo) -> Floats:
    """Give the mean outdoor temperature of each day of a panel."""
    days = [of.first + timedelta(days=at) for at in range(of.days + 1)]
    edges_us = np.array([to_us(day_start(day, tz)) for day in days], np.int64)
    table = known.outdoor(place, Span(from_us(int(edges_us[0])), from_us(int(edges_us[-1]))))
    start = table["start"].cast("int64").to_numpy()
    return day_means(start, table["minutes"].to_numpy().astype(np.int64), table["temp_c"].to_numpy(), edges_us)


def _weather(base: Panel, carrier: Carrier, means: Floats, early: Degrees | str, late: Degrees | str) -> WeatherOf:
    """Fit one carrier and say what other degree days made of its use."""
    daily = base.daily.get(carrier)
    if daily is None:
        return WeatherOf(None, None, NO_USE)
    refused = next((one for one in (early, late) if isinstance(one, str)), None)
    model = fit(daily.use, means, *daily.shares())
    if isinstance(model, str):
        return WeatherOf(None, None, early if isinstance(early, str) else model)
    if isinstance(early, str) or isinstance(late, str):
        return WeatherOf(model, None, refused)
    return WeatherOf(model, weather_part(model, early, late), None)


def weather_change(
    access: Access, place: str, base: Span, other: Span, known_at: datetime | None, tz: ZoneInfo
) -> WeatherChange:
    """Give each carrier's use in two periods, and in the second with the weather of the first."""
    known = access.as_known(known_at)
    two = two_periods(known, place, base, other, tz)
    reasons = [one for one in (two.base_degrees, two.degrees) if isinstance(one, str)]
    where = bases()
    return WeatherChange(
        from_us(two.known_us).astimezone(tz), two.rule_set, place,
        base.start.astimezone(tz), base.end.astimezone(tz), other.start.astimezone(tz), other.end.astimezone(tz),
        where.heating_c, where.cooling_c, where.source, where.certainty,
        degree_period(two.base_degrees), degree_period(two.degrees), "; ".join(reasons) or None,
        [_carrier(known, two, one) for one in two.weather],
    )  # fmt: skip


def degree_period(one: Degrees | str) -> DegreePeriod | None:
    """Write a period's degree days; None where they are not known."""
    if isinstance(one, str):
        return None
    heating, cooling = (round(each * one.days, FINE) for each in (one.heating, one.cooling))
    return DegreePeriod(heating, cooling, one.known_days, one.days)


def _carrier(known: Access, two: Two, carrier: Carrier) -> CarrierWeather:
    """Write one carrier."""
    commodity, quantity = carrier
    unit = known.registry().commodities[commodity].display_unit(quantity)
    early, late = two.used(carrier)
    found = two.weather[carrier]
    whole = [round(one.whole) for one in (early, late)]
    part = found.part
    # as a day, so that a leap year is no more use
    scaled = round(Fraction(whole[0] * two.other.days, two.base.days))
    weighed: dict[str, Decimal] = {}
    if part is not None:
        normal = whole[1] - part
        amounts = {"weather": part, "normalised_use": normal, "normalised_change": normal - scaled}
        weighed = {name: unit.to_decimal(amount) for name, amount in amounts.items()}
    return CarrierWeather(
        commodity=commodity,
        unit=unit.code,
        base_use=unit.to_decimal(whole[0]),
        use=unit.to_decimal(whole[1]),
        weather=weighed.get("weather"),
        normalised_use=weighed.get("normalised_use"),
        normalised_change=weighed.get("normalised_change"),
        model=None if found.model is None else _told(found.model, float(unit.ratio)),
        open_days=early.open_days + late.open_days,
        never_heard=early.never_heard + late.never_heard,
        reason=found.reason,
    )


def _told(model: Fit, scale: float) -> WeatherModel:
    """Write a model in a carrier's unit."""

    def shown(value: float | None) -> float | None:
        return None if value is None else round(value / scale, FINE)

    return WeatherModel(
        base_a_day=round(model.base / scale, FINE),
        per_heating_degree_day=round(model.heating / scale, FINE),
        per_cooling_degree_day=round(model.cooling / scale, FINE),
        base_error=round(model.base_error / scale, FINE),
        heating_error=shown(model.heating_error),
        cooling_error=shown(model.cooling_error),
        r2=round(model.r2, FINE),
        r2_unseen=round(model.r2_unseen, FINE),
        days=model.days,
    )
