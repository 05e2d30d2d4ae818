"""How long bills take, by commodity: `python tests/tariffs/bench_bills.py 17000` for a month of a city's households."""

import sys
import time
from fractions import Fraction

from quintet.tariffs import Asked, bill_month, compute

STATED = {"unit_price": Fraction("22.4"), "base_won": Fraction(1000)}
KINDS = {
    "electricity": ("kWh", "2025-10", {"contract": "low_voltage"}),
    "gas": ("m3", "2025-10", {"options": {**STATED, "calorific": Fraction("42.7")}}),
    "water": ("m3", "2025-10", {"city": "ansan", "options": {"pipe_mm": Fraction(13)}}),
    "heat": ("Mcal", "2021-01", {"options": {"area_m2": Fraction(85)}}),
    "hot_water": ("m3", "2025-10", {"options": STATED}),
}


def main(count: int) -> None:
    """Compute `count` bills of each commodity, each with another use, and print the processor time each took."""
    whole = 0.0
    for commodity, (unit, month, more) in KINDS.items():
        start, end = bill_month(month)
        asked = [Asked(commodity, Fraction(at % 700), unit, start, end, **more) for at in range(count)]
        began = time.process_time()
        total = sum(compute(one).total for one in asked)
        took = time.process_time() - began
        whole += took
        print(f"{commodity}: {count} bills, {total // 1} won, {took / count * 1e6:.0f} us each")
    print(f"{count * len(KINDS)} bills in {whole:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 17000)
