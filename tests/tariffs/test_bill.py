"""Bills: seasons, dates of change, proration, roundings; and what holds for every bill."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.tariffs import Asked, Bill, bill_month, cards, compute
from quintet.tariffs.exact import ROUNDINGS, decimal_of
from quintet.tariffs.request import months_of
from quintet.tariffs.typed import typed_number, typed_use
from quintet.terms.errors import NotFound, UsageError

CONTRACTS = ["low_voltage", "high_voltage", "apartment_single", "apartment_total"]
STARTS = st.dates(date(2023, 1, 1), date(2026, 2, 20))


def power(use: Any, month: str = "2025-10", contract: str = "low_voltage", **more: Any) -> Bill:
    start, end = bill_month(month)
    return compute(Asked("electricity", Fraction(use), "kWh", start, end, contract, **more))


def between(use: Any, start: date, end: date, contract: str = "low_voltage", **more: Any) -> Bill:
    return compute(Asked("electricity", Fraction(use), "kWh", start, end, contract, **more))


def won(bill: Bill, item: str) -> Fraction | None:
    return next(line.won for line in bill.lines if line.item == item)


@pytest.mark.parametrize(
    ("month", "use", "base"),
    [
        *[(f"2025-{m:02}", 300, 910 if m in (7, 8) else 1600) for m in range(1, 13)],
        *[(f"2025-{m:02}", 450, 1600 if m in (7, 8) else 7300) for m in range(1, 13)],
        ("2025-06", 200, 910), ("2025-06", 201, 1600), ("2025-09", 400, 1600), ("2025-09", 401, 7300),
        ("2025-07", 301, 1600), ("2025-08", 451, 7300), ("2025-10", "200.5", 1600), ("2025-10", 0, 910),
    ],
)  # fmt: skip
def test_the_base_charge_is_a_step_by_total_use_and_season(month: str, use: Any, base: int) -> None:
    assert won(power(use, month), "base") == base


@pytest.mark.parametrize(
    ("contract", "top", "above"), [("low_voltage", "307.3", "736.2"), ("high_voltage", "242.3", "601.3")]
)
def test_the_excess_above_1000_costs_more_in_five_months(contract: str, top: str, above: str) -> None:
    for month in range(1, 13):
        at = [power(use, f"2025-{month:02}", contract) for use in (1000, 2000)]
        price = Fraction(above if month in (1, 2, 7, 8, 12) else top)
        energy = [won(bill, "energy") for bill in at]
        assert energy[0] is not None
        assert energy[1] is not None
        exact = [bill.lines[1].pieces[0].won for bill in at]
        assert exact[1] - exact[0] == 1000 * price
        assert [one // 1 for one in exact] == energy


YEARS = [f"{year}-{month:02}" for year in (2023, 2024, 2025) for month in range(1, 13)]
MONTHS = [*YEARS[5:], "2026-01", "2026-03"]
USES = (0, 1, 99, 199, 200, 201, 299, 300, 301, 399, 400, 401, 449, 450, 451, 700, 999, 1000, 1001, 1500)
TABLE = {
    "low_voltage": ((910, 1600, 7300), (1200, 2146, 3073, 7362)),
    "high_voltage": ((730, 1260, 6060), (1050, 1740, 2423, 6013)),
}


@pytest.mark.parametrize("contract", TABLE)
@pytest.mark.parametrize("month", MONTHS)
def test_every_month_and_border_as_worked_out_apart(month: str, contract: str) -> None:
    """The same by whole tenths of a won and no code of ours: base, energy, climate 9.0, fuel 5.0, VAT, fund."""
    bases, prices = TABLE[contract]
    first, second = (300, 450) if month[5:] in ("07", "08") else (200, 400)
    top = 1000 if month[5:] in ("01", "02", "07", "08", "12") else 10**9
    for use in USES:
        parts = (min(use, first), max(min(use, second) - first, 0), max(min(use, top) - second, 0), max(use - top, 0))
        base = bases[(use > first) + (use > second)]
        energy = sum(part * price for part, price in zip(parts, prices, strict=True)) // 10
        subtotal = base + energy + use * 9 + use * 5
        fund = 37 if month <= "2024-06" else 32 if month <= "2025-06" else 27
        total = (subtotal + (subtotal + 5) // 10 + subtotal * fund // 10_000 * 10) // 10 * 10
        bill = power(use, month, contract)
        assert (bill.subtotal, bill.total) == (subtotal, total), (month, contract, use)


@pytest.mark.parametrize(
    ("month", "rate"),
    [("2024-06", "0.037"), ("2024-07", "0.032"), ("2025-06", "0.032"), ("2025-07", "0.027"), ("2026-03", "0.027")],
)
def test_the_fund_changes_on_its_days(month: str, rate: str) -> None:
    bill = power(333, month)
    assert won(bill, "fund") == bill.subtotal * Fraction(rate) // 10 * 10
    assert next(line.rate for line in bill.lines if line.item == "fund") == Fraction(rate)


def test_a_day_without_a_card_is_no_bill() -> None:
    for start, end in (
        (date(2026, 10, 1), date(2026, 11, 1)),
        (date(2026, 9, 15), date(2026, 10, 15)),
        (date(2022, 6, 15), date(2022, 7, 15)),
        (date(2018, 8, 1), date(2018, 9, 1)),
    ):
        with pytest.raises(NotFound, match="no rate card is known"):
            between(100, start, end)
    assert between(100, date(2026, 9, 1), date(2026, 10, 1)).total == power(100, "2026-09").total


def test_a_bill_across_a_season_is_prorated_by_days() -> None:
    """16 June to 16 July 2025, 300 kWh: half in each; and the fund changes on the same day."""
    bill = between(300, date(2025, 6, 16), date(2025, 7, 16))
    assert [part.days for part in bill.parts] == [15, 15]
    assert won(bill, "base") == (1600 + 910) // 2
    assert won(bill, "energy") == (45460 + 36000) // 2
    assert bill.subtotal == 1255 + 40730 + 2700 + 1500
    before = Fraction(1600 + 45460 + 4200, 2)
    assert won(bill, "fund") == (before * Fraction("0.032") + (46185 - before) * Fraction("0.027")) // 10 * 10
    assert next(line.rate for line in bill.lines if line.item == "fund") is None
    assert bill.total == (46185 + 4619 + 1370) // 10 * 10


def test_a_bill_across_a_rate_change_is_prorated_by_days() -> None:
    """May 2023: 15 days by the card of January, 16 by that of 16 May."""
    bill = power(300, "2023-05")
    assert [(part.days, part.card.id[-7:]) for part in bill.parts] == [(15, "2023_01"), (16, "2023_05")]
    old, new = 200 * 112 + Fraction("206.6") * 100, 200 * 120 + Fraction("214.6") * 100
    assert won(bill, "energy") == (old * 15 + new * 16) / 31 // 1
    assert [card.certainty for card in bill.cards] == ["M", "S"]


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2025-10-01", "2025-11-01", 1), ("2025-02-01", "2025-03-01", 1), ("2025-10-15", "2025-11-15", 1),
        ("2025-10-15", "2025-11-11", 1), ("2025-10-15", "2025-11-19", 1), ("2025-10-15", "2025-11-20", Fraction(7, 6)),
        ("2025-10-01", "2025-10-11", Fraction(10, 31)), ("2025-10-01", "2025-12-01", 2),
        ("2025-01-31", "2025-02-28", 1), ("2025-11-01", "2025-12-16", 1 + Fraction(15, 31)),
    ],
)  # fmt: skip
def test_months_of_a_bill(start: str, end: str, months: Any) -> None:
    assert months_of(date.fromisoformat(start), date.fromisoformat(end), 4) == months


def test_ten_days_have_ten_days_base_and_blocks() -> None:
    bill = between(100, date(2025, 10, 1), date(2025, 10, 11))
    assert won(bill, "base") == Fraction(1600 * 10, 31) // 1
    limit = Fraction(200 * 10, 31)
    assert won(bill, "energy") == (limit * 120 + (100 - limit) * Fraction("214.6")) // 1
    blocks = bill.lines[1].pieces[0].blocks
    assert [block.quantity for block in blocks] == [limit, 100 - limit]


def test_a_complex_pays_the_average_bill_times_its_households() -> None:
    one, many = power(300, contract="apartment_single"), power(150_000, contract="apartment_single", households=500)
    assert [won(many, item) for item in ("base", "energy", "climate")] == [
        500 * (won(one, item) or 0) for item in ("base", "energy", "climate")
    ]


def test_stated_prices_and_missing_facts() -> None:
    start, end = bill_month("2025-10")
    options = {"unit_price": Fraction("22.4"), "base_won": Fraction(1000), "calorific": Fraction("42.7")}
    gas = compute(Asked("gas", Fraction(30), "m3", start, end, options={**options, "correction": Fraction("0.99")}))
    exact = (30 * Fraction("0.99") * Fraction("42.7") * Fraction("22.4") + 1000) * Fraction("1.1")
    assert gas.total == exact // 10 * 10
    assert compute(Asked("gas", Fraction(30), "m3", start, end, options=options)).use == 1281
    hot = compute(Asked("hot_water", Fraction(5), "m3", start, end, options={"unit_price": Fraction(4000)}))
    assert (hot.lacks, hot.total) == (("--base-won",), 22000)
    assert next(line.won for line in hot.lines if line.lacks) is None
    flat = power(300, contract="apartment_total", options={"common_won": Fraction(12_345)})
    assert flat.total == 57760 + 12_345


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"unit": "m3"}, "--use"),
        ({"use": Fraction(-1)}, "--use"),
        ({"end": date(2025, 10, 1)}, "--to"),
        ({"end": date(2026, 10, 3)}, "--to"),
        ({"households": 0}, "--households"),
        ({"options": {"pipe_mm": Fraction(13)}}, "--pipe-mm"),
        ({"options": {"correction": Fraction(1)}}, "--correction"),
        ({"commodity": "gas", "unit": "m3", "contract": None, "options": {"unit_price": Fraction(1)}}, "--calorific"),
        (
            {
                "commodity": "gas",
                "unit": "m3",
                "contract": None,
                "options": {"unit_price": Fraction(1), "base_won": Fraction(0), "calorific": Fraction(0)},
            },
            "--calorific",
        ),
        (
            {
                "commodity": "gas",
                "unit": "m3",
                "contract": None,
                "options": {
                    "unit_price": Fraction(1),
                    "base_won": Fraction(0),
                    "calorific": Fraction(43),
                    "correction": Fraction(-1),
                },
            },
            "--correction",
        ),
        (
            {
                "commodity": "water",
                "unit": "m3",
                "contract": None,
                "city": "ansan",
                "options": {"pipe_mm": Fraction(9)},
            },
            "--pipe-mm",
        ),
    ],
)
def test_what_is_asked_wrongly_is_refused_with_its_place(asked: dict[str, Any], place: str) -> None:
    good = {"commodity": "electricity", "use": Fraction(1), "unit": "kWh", "contract": "low_voltage"}
    days = {"start": date(2025, 10, 1), "end": date(2025, 11, 1)}
    with pytest.raises(UsageError) as error:
        compute(Asked(**{**good, **days, **asked}))
    assert error.value.place == place
    assert error.value.remedy


def test_no_price_is_made_up_above_the_last_published_block() -> None:
    start, end = bill_month("2025-10")
    for use, fine in ((100, True), (101, False)):
        asked = Asked("water", Fraction(use), "m3", start, end, city="gimhae")
        if fine:
            assert compute(asked).lines[0].won == 50 * 1520 + 50 * 2160
        else:
            with pytest.raises(NotFound, match="above 100"):
                compute(asked)


@pytest.mark.parametrize(
    ("text", "use", "unit"),
    [("223 kWh", "223", "kWh"), ("223kWh", "223", "kWh"), ("1,223.5 kWh", "1223.5", "kWh"), ("-1 m3", "-1", "m3")],
)
def test_a_typed_use(text: str, use: str, unit: str) -> None:
    assert typed_use(text) == (Fraction(use), unit)


@pytest.mark.parametrize(
    "text", ["", "223", "kWh", "1 furlong", "1 kW", "1,2,3 kWh", "1e99 kWh", "nan kWh", "1..2 kWh"]
)
def test_a_use_that_is_none(text: str) -> None:
    with pytest.raises(UsageError):
        typed_use(text)
    with pytest.raises(UsageError):
        typed_number("Infinity", "--calorific")


def test_units_convert_exactly() -> None:
    start, end = bill_month("2025-10")
    mwh = compute(Asked("electricity", Fraction("0.223"), "MWh", start, end, "low_voltage"))
    assert mwh.total == power(223).total


@given(
    STARTS, st.integers(1, 40), st.integers(0, 2000), st.integers(0, 300), st.sampled_from(CONTRACTS), st.integers(1, 3)
)
def test_more_use_never_costs_less(start: date, days: int, use: int, more: int, contract: str, households: int) -> None:
    end = min(start + timedelta(days=days), date(2026, 4, 1))
    less = between(use, start, end, contract, households=households)
    greater = between(use + more, start, end, contract, households=households)
    assert less.total <= greater.total
    assert less.subtotal <= greater.subtotal


@given(STARTS, st.integers(1, 70), st.fractions(0, 2000, max_denominator=1000), st.sampled_from(CONTRACTS))
def test_parts_add_up_and_roundings_hold(start: date, days: int, use: Fraction, contract: str) -> None:
    end = min(start + timedelta(days=days), date(2026, 4, 1))
    bill = between(use, start, end, contract)
    assert bill.parts[0].start == start
    assert bill.parts[-1].end == end
    assert sum(part.days for part in bill.parts) == (end - start).days
    shown = sum((line.won for line in bill.lines if line.won is not None), Fraction(0))
    assert shown == bill.total
    assert bill.total % 10 == 0
    for line in bill.lines:
        if line.item in ("base", "energy", "climate", "fuel_adj"):
            exact = sum((piece.won for piece in line.pieces), Fraction(0))
            assert line.won == exact // 1
        if line.item == "energy":
            assert sum((block.quantity for piece in line.pieces for block in piece.blocks), Fraction(0)) == use
            assert sum(
                (block.quantity * block.unit_price for piece in line.pieces for block in piece.blocks), Fraction(0)
            ) == sum((piece.won for piece in line.pieces), Fraction(0))
    taxes = {line.item: line for line in bill.lines}
    assert taxes["vat"].won == (bill.subtotal / 10 + Fraction(1, 2)) // 1
    assert taxes["fund"].won is not None
    assert taxes["fund"].won % 10 == 0
    assert sum((piece.won for piece in taxes["vat"].pieces), Fraction(0)) == bill.subtotal / 10


def test_decimals_are_exact_where_they_end() -> None:
    assert [str(decimal_of(Fraction(text))) for text in ("1/8", "-5/2", "10", "1/3")] == [
        "0.125", "-2.5", "10", "0.333333333333",
    ]  # fmt: skip
    assert cards() is cards()


@given(st.fractions(0, 10**7, max_denominator=10**4), st.sampled_from([1, 10, 100]))
def test_the_roundings(amount: Fraction, to: int) -> None:
    assert ROUNDINGS["floor"](amount, to) == amount // to * to
    assert ROUNDINGS["half_up"](amount, to) == (amount / to + Fraction(1, 2)) // 1 * to
    assert ROUNDINGS["none"](amount, to) == amount
    assert [ROUNDINGS["half_up"](Fraction(text), 1) for text in ("0.5", "1.5", "2.49", "2.5")] == [1, 2, 2, 3]
