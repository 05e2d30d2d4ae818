"""Measures how fast readings are made: `python tests/simulate/bench_readings.py [households] [days] [threads]`.

The rate for each second of processor time is told too: it hardly moves when the machine has other work.
"""

import sys
from dataclasses import dataclass
from datetime import date
from time import perf_counter, process_time

from quintet.simulate import CityPlan, simulate_city


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: readings made, seconds to lay out the city, seconds (and processor's) to make the readings."""

    readings: int
    layout_s: float
    readings_s: float
    processor_s: float

    @property
    def rate(self) -> float:
        """Readings a second."""
        return self.readings / self.readings_s

    @property
    def processor_rate(self) -> float:
        """Readings a second of one processor."""
        return self.readings / self.processor_s


def measure(households: int, days: int, threads: int) -> Figures:
    """Make a city's days in order, faults and late readings included."""
    begun = perf_counter()
    city = simulate_city(CityPlan(start=date(2026, 1, 12), days=days, households=households), threads)
    laid_out, worked = perf_counter(), process_time()
    counted = sum(city.readings(city.plan.day(i)).num_rows + city.late(city.plan.day(i)).num_rows for i in range(days))
    return Figures(counted, laid_out - begun, perf_counter() - laid_out, process_time() - worked)


if __name__ == "__main__":
    asked = [int(text) for text in sys.argv[1:]]
    found = measure(*[*asked, *(17_000, 5, 2)[len(asked) :]])
    sys.stdout.write(
        f"{found.readings:,} readings in {found.readings_s:.2f} s: {found.rate:,.0f}/s, "
        f"{found.processor_rate:,.0f} a processor second (layout {found.layout_s:.2f} s)\n"
    )
