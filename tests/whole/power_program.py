"""A process for the power loss tests: makes a city, fills it day by day, folds, closes, backs up, and says so.

    python power_program.py FOLDER FILES

Prints `made`, `registered`, then for each file `stored N`, `closed N`, and `backup` once: what a line reports is
durable when it is printed. The city is FOLDER/city and the backup, of what it holds after two files, FOLDER/backup.
"""

import sys
from datetime import date, timedelta
from pathlib import Path

from quintet.app.city import City
from quintet.ingest import Dataset, commit_readings, register_meters

BACKUP_AFTER = 1
"""The number of the file after which the backup is made."""


CHECKPOINT_EVERY = 2
"""Versions of a lake's table between two checkpoints of its log: the few days here shall meet some."""


def checkpointed(city: City) -> City:
    """Let a city's lake sum up its log often."""
    for lake in city.engine.lakes.values():
        lake.checkpoint_every = CHECKPOINT_EVERY
    return city


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def main() -> int:
    """Run all steps; the log is folded in now and then, and the city is closed and opened again half-way."""
    folder, files = Path(sys.argv[1]), Path(sys.argv[2])
    city = checkpointed(City.create(folder / "city", timezone="Asia/Seoul"))
    say("made")
    register_meters(
        city.pipeline, Dataset(files, (), files / "meters.parquet", None, files / "city.toml"), actor="test"
    )
    say("registered")
    for number, file in enumerate(sorted(files.glob("readings-*.parquet"))):
        commit_readings(city.pipeline, Dataset(files, (file,)), actor="test")
        say(f"stored {number}")
        if number == BACKUP_AFTER:
            city.backup(folder / "backup")
            say("backup")
        day = date.fromisoformat(file.stem.removeprefix("readings-"))
        city.close_days(day + timedelta(days=number % 2))
        say(f"closed {number}")
        if number % 2:
            city.engine.checkpoint()
        else:
            city.close()
            city = checkpointed(City.open(folder / "city"))
    city.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
