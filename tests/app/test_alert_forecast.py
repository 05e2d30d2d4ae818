"""What a home is told of its month is what its page says: the same forecast, its range and its won."""

from contextlib import closing
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from quintet.alerts.ahead import BUDGET, Ends, ends_of, month_ahead, tier
from quintet.alerts.found import Found
from quintet.alerts.reading import homes_seen
from quintet.app.alert_forecast import PageForecast
from quintet.app.alert_looks import homes_of, machine
from quintet.app.city import SETTINGS, City
from quintet.simulate import CityPlan, simulate_city
from quintet.simulate.dataset import readings_of
from quintet.terms.period import day_start, from_us, to_us
from quintet.terms.tables import QUARANTINE
from quintet.views.catalogue import Catalogue
from quintet.views.home_month import Home, asked_month, month_bill
from quintet.views.home_now import Today

DAYS = 45


def test_the_alerts_of_a_month_go_by_the_forecast_of_the_page(tmp_path: Path) -> None:
    plan = CityPlan(households=3, start=date(2025, 10, 6), days=DAYS, seed=7, faults={})
    made = simulate_city(plan)
    now_us = to_us(day_start(plan.last + timedelta(days=1), plan.zone))
    folder = tmp_path / "city"
    City.create(folder, timezone=plan.tz, simulated=True).close()
    contracts = files("quintet.app").joinpath("data", "demo_contracts.toml").read_text(encoding="utf-8")
    settings = folder / SETTINGS
    settings.write_text(settings.read_text(encoding="utf-8") + contracts, encoding="utf-8")
    with closing(City.open(folder, now=lambda: now_us)) as city:
        city.pipeline.register(made.meters, settings=made.settings, source="test", actor="test")
        parts = [(readings_of(made.readings(plan.day(day))), QUARANTINE.empty_table()) for day in range(DAYS)]
        city.pipeline.commit(parts, source="test", actor="test")
        access, homes = machine(city), homes_of(city)
        forecast, catalogue = PageForecast(access), Catalogue(access)
        today = Today.at(from_us(now_us).astimezone(plan.zone), plan.zone, None)
        priced, days = 0, list[tuple[str, str]]()
        for home in homes_seen(access, homes, now_us, {}, {}, alike=True, forecast=forecast):
            shown = Home(access, catalogue, home.place, ("", ""), today)
            bill = month_bill(shown, asked_month(shown))
            lines = {line.commodity: line for line in bill.lines}
            ends = {code: ends_of(BUDGET, home, code, use) for code, use in home.month.items()}
            told = {code: one for code, one in ends.items() if isinstance(one, Ends)}
            assert told.keys() == lines.keys() == home.month.keys()
            for code, one in told.items():
                said = lines[code].ahead
                assert said is not None
                assert (float(one.use), float(one.low)) == pytest.approx((said.use, said.use_low), abs=0.002)
            for crossing in tier(home):
                gauge = lines[crossing.commodity].tier
                if isinstance(crossing, Found) and gauge is not None and gauge.day is not None:
                    days.append((str(crossing.figures["day"]), gauge.day.isoformat()))
            found = month_ahead(home, told)
            assert found is not None
            if not found.unpriced:
                assert (found.ends, found.low) == pytest.approx((bill.won_ahead, bill.won_low), abs=20)
                priced += 1
        assert priced == len(homes)
        assert days
        assert all(alert == page for alert, page in days), days
