"""Bills reckoned a second time, day by day and by other means, and what KEPCO itself worked out of two."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from quintet.tariffs import Asked, Bill, bill_month, cards, compute
from quintet.tariffs.request import months_of

STEPS = {"low_voltage": ((910, 1600, 7300), ("120", "214.6", "307.3"), "736.2"),
         "high_voltage": ((730, 1260, 6060), ("105", "174", "242.3"), "601.3")}  # fmt: skip
CHANGED = date(2023, 5, 16)


def day_won(contract: str, day: date, use: Fraction) -> tuple[Fraction, Fraction]:
    """Give base and energy charge of a whole month of such days."""
    base, rates, above = STEPS[contract]
    low, high = (300, 450) if day.month in (7, 8) else (200, 400)
    less = 8 if day < CHANGED else 0
    won = Fraction(0)
    for start, end, rate in ((0, low, rates[0]), (low, high, rates[1]), (high, None, rates[2])):
        part = (use if end is None else min(use, Fraction(end))) - start
        won += max(part, Fraction(0)) * (Fraction(rate) - less)
    if day.month in (7, 8, 12, 1, 2) and use > 1000:
        won += (use - 1000) * (Fraction(above) - Fraction(rates[2]))
    return Fraction(base[(use > low) + (use > high)]), won


def fund_of(day: date) -> Fraction:
    return Fraction("0.037" if day < date(2024, 7, 1) else "0.032" if day < date(2025, 7, 1) else "0.027")


def reckoned(contract: str, use: Fraction, start: date, end: date) -> list[int]:
    """Give base, energy, climate, fuel, subtotal, tax, fund and total."""
    months, days = months_of(start, end, 4), (end - start).days
    sums, by_rate = [Fraction(0)] * 4, dict[Fraction, Fraction]()
    for day in (start + timedelta(days=at) for at in range(days)):
        base, energy = day_won(contract, day, use / months)
        parts = [base, energy, 9 * use / months, 5 * use / months]
        parts = [one * months / days for one in parts]
        sums = [one + more for one, more in zip(sums, parts, strict=True)]
        by_rate[fund_of(day)] = by_rate.get(fund_of(day), Fraction(0)) + sum(parts)
    items = [int(one) for one in sums]
    subtotal, exact = sum(items), sum(by_rate.values())
    tax = int(Fraction(subtotal, 10) + Fraction(1, 2))
    fund = int(sum(subtotal * won / exact * rate for rate, won in by_rate.items())) // 10 * 10
    return [*items, subtotal, tax, fund, (subtotal + tax + fund) // 10 * 10]


def said(bill: Bill) -> list[Fraction]:
    won = {line.item: line.won or Fraction(0) for line in bill.lines}
    items = [won[name] for name in ("base", "energy", "climate", "fuel_adj")]
    return [*items, bill.subtotal, won["vat"], won["fund"], bill.total]


@given(
    st.sampled_from(sorted(STEPS)),
    st.one_of(st.sampled_from([0, 200, 201, 400, 401, 450, 1000, 1001]), st.fractions(0, 2000, max_denominator=1000)),
    st.dates(date(2023, 1, 1), date(2026, 5, 30)),
    st.sampled_from([1, 10, 26, 28, 29, 30, 31, 33, 36, 59, 61, 90]),
)
@example("low_voltage", Fraction(300), date(2023, 5, 1), 31)
@example("high_voltage", Fraction(1001), date(2024, 2, 1), 29)
@example("low_voltage", Fraction(710), date(2024, 6, 9), 30)
def test_both_reckonings_agree_on_every_line(contract: str, use: Fraction | int, start: date, days: int) -> None:
    end = start + timedelta(days=days)
    bill = compute(Asked("electricity", Fraction(use), "kWh", start, end, contract))
    assert said(bill) == reckoned(contract, Fraction(use), start, end)


def test_a_bill_of_august_2022_as_kepco_s_calculator_printed_it() -> None:
    """v.daum.net 20230813133656259: 1,000 kWh; every line of it."""
    bill = compute(Asked("electricity", Fraction(1000), "kWh", *bill_month("2022-08"), "low_voltage"))
    assert said(bill) == [7300, 210405, 7300, 5000, 230005, 23001, 8510, 261510]


def test_a_bill_across_a_change_of_rates_as_kepco_worked_it_out() -> None:
    """KEPCO's example of 2022-03-11 to 2022-04-10, 350 kWh: energy 45,648 and climate 2,080 won, each cut once."""
    card = cards().rows["kepco_residential_lv_2022_07"]
    row = {
        "name_en": "x", "name_ko": "x", "commodity": "electricity", "contracts": ["example"], "unit": "kWh",
        "published_on": "2022-03", "source": "KEPCO's notice of the change on 2022-04-01", "certainty": "S",
        "levies": [], "round_total": "none", "total_to": 1,
    }  # fmt: skip
    energy = {"item": "energy", "name_en": "x", "name_ko": "x", "method": "blocks", "round": "floor",
              "limits": ["200", "400"]}  # fmt: skip
    climate = {"item": "climate", "name_en": "x", "name_ko": "x", "method": "per_unit", "round": "floor"}
    table = cards().with_rows({"card": {
        "before": {**row, "in_force_from": "2021-01-01", "in_force_until": "2022-03-31",
                   "charge": [{**energy, "rates": ["88.3", "182.9", "275.6"]}, {**climate, "rate": "5.3"}]},
        "after": {**row, "in_force_from": "2022-04-01", "in_force_until": "2022-09-30",
                  "charge": [{**energy, "rates": ["93.2", "187.8", "280.5"]}, {**climate, "rate": "7.3"}]},
    }})  # fmt: skip
    bill = compute(Asked("electricity", Fraction(350), "kWh", date(2022, 3, 11), date(2022, 4, 11), "example"), table)
    assert [line.won for line in bill.lines if line.item != "rounding"] == [45648, 2080]
    assert card.charges[1].values[:3] == tuple(Fraction(one) for one in ("93.2", "187.8", "280.5"))


def test_the_cards_that_follow_from_published_rises_differ_by_them() -> None:
    """7.4 on 2022-10-01, 11.4 on 2023-01-01 and 8.0 on 2023-05-16, the same for every block and both voltages."""
    for voltage in ("lv", "hv"):
        held = [
            cards().rows[f"kepco_residential_{voltage}_{day}"] for day in ("2022_07", "2022_10", "2023_01", "2023_05")
        ]
        for before, after, rise in zip(held, held[1:], ("7.4", "11.4", "8"), strict=False):
            for one, other in zip(before.charges, after.charges, strict=True):
                step = Fraction(rise) if one.item == "energy" else Fraction(0)
                assert [value + step for value in one.values] == list(other.values)


def test_the_general_tariff_and_the_second_district_heat() -> None:
    """The table of 2026-06-01: 6,160 won a kW; 132.4 in summer, 91.9 in spring and autumn, 119.0 in winter."""
    for month, won in (("2026-07", 132400), ("2026-05", 91900), ("2025-11", 119000), ("2024-10", 91900)):
        asked = Asked("electricity", Fraction(1000), "kWh", *bill_month(month), "general_low",
                      options={"capacity": Fraction(10)})  # fmt: skip
        assert said(compute(asked))[:4] == [61600, won, 9000, 5000]
    heat = Asked("heat", Fraction(1000), "Mcal", *bill_month("2024-08"), options={"area_m2": Fraction(85)})
    assert [line.won for line in compute(heat).lines][:2] == [4454, 112320]
