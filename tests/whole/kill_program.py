"""A process for the crash tests: takes in a folder's files one by one, closes the days behind each, and says so.

    python kill_program.py CITY FOLDER FIRST

Prints `ready`, then for each file from number FIRST on `stored N`, `closing DAY` before each day, `closed N`. What a
line reports is durable when it is printed. Every step may be repeated: what a city knows already it does not take.
"""

import sys
from datetime import date, timedelta
from pathlib import Path

from quintet.app.city import City
from quintet.ingest import Dataset, commit_readings


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def main() -> int:
    """Run all steps."""
    city = City.open(Path(sys.argv[1]))
    say("ready")
    files = sorted(Path(sys.argv[2]).glob("readings-*.parquet"))
    for number, file in list(enumerate(files))[int(sys.argv[3]) :]:
        commit_readings(city.pipeline, Dataset(file.parent, (file,)), actor="test")
        say(f"stored {number}")
        day = date.fromisoformat(file.stem.removeprefix("readings-"))
        city.close_days(day + timedelta(days=1), lambda closing: say(f"closing {closing}"))
        say(f"closed {number}")
    city.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
