"""The command line of a next version of Quintet: this one with one more store version, up and down.

NEXT_STEP says what becomes of its step: `good` works; `failing` ends with a statement that cannot work; `endless` with
one that never ends; `ended` works, and the process is killed before it is folded into the database file.
`none` adds no version and ends like `ended`. Each statement is told on stderr before it runs.
"""

import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

from quintet.app.cli import main
from quintet.store.database import Database
from quintet.store.schema import DOWN, VERSIONS

RAW = "channel integer not null, at_us bigint not null, mantissa bigint not null, exponent tinyint not null"
LAST = {
    "failing": ["insert into nowhere values (1)"],
    "endless": ["select sum(hash(range)) from range(1000000000000)"],
}


class Told(list[str]):
    """Statements that are told as they are taken."""

    def __iter__(self) -> Iterator[str]:
        for number, statement in enumerate(super().__iter__(), start=1):
            sys.stderr.write(f"statement {number} of {len(self)}\n")
            sys.stderr.flush()
            yield statement


def moved(more: str, given: str) -> list[str]:
    """Give the statements that write every raw reading anew, into a table with other columns."""
    kept = "channel, at_us, mantissa, exponent, unit, batch"
    return [
        "alter table raw rename to raw_before",
        f"create table raw ({RAW}, unit smallint not null, batch integer not null{more})",
        f"insert into raw select {kept}{given} from raw_before order by rowid",
        "drop table raw_before",
    ]


def killed(*_: Any) -> None:
    """End as kill -9 ends a process."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    step = os.environ.get("NEXT_STEP", "good")
    if step != "none":
        VERSIONS.append(
            Told([*moved(", note varchar", ", null"), "create table note (id integer)", *LAST.get(step, [])])
        )
        DOWN[len(VERSIONS)] = Told(["drop table note", *moved("", ""), *LAST.get(step, [])])
    if step in ("ended", "none"):
        setattr(Database, "fold_log", killed)  # noqa: B010 - a method is replaced on purpose
    sys.exit(main())
