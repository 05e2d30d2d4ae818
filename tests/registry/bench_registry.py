"""How long a city's meters take to register and to read: `python tests/registry/bench_registry.py [HOUSEHOLDS]`.

Five meters a household, 17,000 households by default; each step's processor seconds are printed.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from quintet.registry import Registry, from_dataset, sync
from quintet.store.records import believed

METERS = (("electricity", "kWh"), ("gas", "m3"), ("water", "m3"), ("heat", "kWh"), ("hot_water", "m3"))
AS_OF = datetime(2025, 1, 1, tzinfo=UTC)


def meters_of(households: int) -> pa.Table:
    """Make the meters table of so many flats, a hundred to a building and ten buildings to a complex."""
    homes = [(home, *meter) for home in range(households) for meter in METERS]
    count = len(homes)
    return pa.table(
        {
            "site": [f"c{home // 1000}" for home, _, _ in homes],
            "building": [f"b{home // 100}" for home, _, _ in homes],
            "premise": [f"p{home}" for home, _, _ in homes],
            "meter": [f"h{home}-{commodity}" for home, commodity, _ in homes],
            "commodity": [commodity for _, commodity, _ in homes],
            "unit": [unit for _, _, unit in homes],
            "value_kind": ["register_cumulative"] * count,
            "cadence_min": [15] * count,
            "tz": ["Asia/Seoul"] * count,
            "role": ["consumption"] * count,
            "dials": [6] * count,
        }
    )


def measure(households: int) -> dict[str, float]:
    """Give the processor seconds of each step."""
    seconds: dict[str, float] = {}

    def timed(name: str, step: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = step()
        seconds[name] = time.process_time() - start
        return result

    meters = meters_of(households)
    found = timed("register", lambda: from_dataset(Registry.from_records([]), meters))
    records = timed("believed", lambda: believed(found.records))
    registry = timed("snapshot", lambda: Registry.from_records(records))
    channels = timed("channels", registry.channels)
    placements = timed("placements", registry.placements)
    again = timed("register again", lambda: from_dataset(registry, meters))
    less = timed("sync", lambda: sync(registry, meters.slice(len(METERS)), as_of=AS_OF))
    if not channels.num_rows == placements.num_rows == households * len(METERS) or again.records:
        raise SystemExit("the registry does not hold what was registered")
    if len(less.ended) != len(METERS):
        raise SystemExit("the list did not end one household")
    return seconds


if __name__ == "__main__":
    for step, took in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 17_000).items():
        print(f"{step:16} {took:6.2f} s")
