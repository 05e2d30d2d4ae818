"""A process for the crash tests: commits deliveries with keys, two sources in turn, and says what it was answered.

    python group_program.py CITY FIRST

Prints `sending N` before each delivery from number FIRST on, and after it
`answered N BATCH ACCEPTED DUPLICATE QUARANTINED`.
"""

import sys
from pathlib import Path

import pyarrow as pa

from quintet.pipeline.commit import Pipeline
from quintet.pipeline.delivery import Delivery
from quintet.pipeline.grouping import Committer
from quintet.store.engine import Engine
from quintet.terms.period import from_us
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.vee import rules

START_US = 1_735_862_400_000_000
QUARTER_US = 900_000_000
PATIENCE_S = 60


def delivery(number: int) -> Delivery:
    """Make delivery NUMBER: a new reading, one that the delivery before it had, and one of an unknown meter."""
    rows = [
        {
            "site": "s",
            "meter": meter,
            "at": from_us(START_US + QUARTER_US * quarter),
            "value": 1.0 + quarter % 7,
            "row": n,
        }
        for n, (meter, quarter) in enumerate([("e", number), ("e", max(number - 1, 0)), ("unknown", number)], start=1)
    ]
    key = f"key {number // 2}"
    source = ("one", "two")[number % 2]
    return Delivery(pa.Table.from_pylist(rows, READINGS), QUARANTINE.empty_table(), source, "http", key, str(number))


def main() -> int:
    """Send until killed."""
    engine = Engine.open(Path(sys.argv[1]), "UTC")
    committer = Committer(Pipeline(engine, rules()))
    committer.start()
    number = int(sys.argv[2])
    while True:
        print(f"sending {number}", flush=True)
        done = committer.submit(delivery(number)).result(PATIENCE_S)
        counts = done.receipt
        print(
            f"answered {number} {done.batch} {counts.accepted} {counts.duplicate} {counts.quarantined}",
            flush=True,
        )
        number += 1


if __name__ == "__main__":
    sys.exit(main())
