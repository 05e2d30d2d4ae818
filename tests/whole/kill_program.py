"""A process for the crash tests: takes in a folder's files one by one, closes the days behind them, and says so.

    python kill_program.py CITY FOLDER

Prints `ready`, then `stored N` and `closed N` for each file, each line only after the step is durable. Every step may
be repeated: a city that knows a file already takes nothing of it.
"""

import sys
from datetime import date
from pathlib import Path

from quintet.app.city import City
from quintet.ingest import Dataset, commit_readings


def main() -> int:
    """Run all steps."""
    city = City.open(Path(sys.argv[1]))
    print("ready", flush=True)
    for number, file in enumerate(sorted(Path(sys.argv[2]).glob("readings-*.parquet"))):
        commit_readings(city.pipeline, Dataset(file.parent, (file,)), actor="test")
        print(f"stored {number}", flush=True)
        city.close_days(date.fromisoformat(file.stem.removeprefix("readings-")))
        print(f"closed {number}", flush=True)
    city.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
