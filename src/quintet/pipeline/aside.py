"""What of a group is set aside: kept in quarantine where there is room, counted where there is none, or refused.

A sender that keeps what is refused and sends it again (HTTP) is told to wait while its quarantine is full: nothing of
it is acknowledged. One that does not (MQTT) must not stop the queue: its rows are counted by reason, and said to be.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from quintet.store.engine import Snapshot, Writing
from quintet.store.originals import Room, count_beyond, mark_of
from quintet.store.quarantine import append_problems, new_problems

from .arrivals import Arrivals
from .delivery import Delivery

UNKEPT = "Its original is not kept: the quarantine of its source is full."
PLACE, WHOSE = "place", "whose"


@dataclass(frozen=True, slots=True)
class Aside:
    """New rows with their `fingerprint`: those to keep and those to count; `refused` are deliveries to be sent again.

    `problems` are all problems of the group, new or not, as their senders are told of them.
    """

    kept: pa.Table
    beyond: pa.Table
    refused: frozenset[int]
    problems: pa.Table

    def __bool__(self) -> bool:
        """Say whether there is anything to write."""
        return bool(self.kept.num_rows or self.beyond.num_rows)

    @property
    def rows(self) -> int:
        """Count the new rows."""
        return self.kept.num_rows + self.beyond.num_rows

    def append(self, writing: Writing, room: Room) -> None:
        """Write it as part of a batch."""
        if not self:
            return
        append_problems(writing, self.kept)
        count_beyond(writing, self.beyond, room.bounds.sources_counted)
        mark = mark_of(writing)
        writing.then(lambda: room.take(self.kept, mark))


def set_aside(
    snapshot: Snapshot, room: Room, deliveries: list[Delivery], arrivals: Arrivals, received_us: int
) -> Aside:
    """Find which problems of a group are new, and for which of them there is room."""
    problems = arrivals.problems
    if not problems.num_rows:
        return Aside(problems, problems, frozenset(), problems)
    numbered = problems.append_column(PLACE, pa.array(np.arange(problems.num_rows)))
    numbered = numbered.append_column(WHOSE, pa.array(arrivals.whose))
    fresh = new_problems(snapshot, numbered, by_row=False)
    order = np.argsort(fresh[PLACE].to_numpy(), kind="stable")
    beyond = np.zeros(fresh.num_rows, np.bool_)
    beyond[order] = room.beyond(snapshot, fresh.take(pa.array(order)), received_us)
    places, whose = (fresh[name].to_numpy()[beyond].tolist() for name in (PLACE, WHOSE))
    fresh = fresh.drop_columns([PLACE, WHOSE])
    refused = frozenset(one for one in whose if deliveries[one].resends)
    return Aside(fresh.filter(pa.array(~beyond)), fresh.filter(pa.array(beyond)), refused, told(problems, places))


def told(problems: pa.Table, unkept: list[int]) -> pa.Table:
    """Say of rows, by their places, that their originals are not kept."""
    if not unkept:
        return problems
    reasons = problems["reason"].to_pylist()
    for place in unkept:
        reasons[place] = f"{reasons[place]} {UNKEPT}"
    at = problems.column_names.index("reason")
    return problems.set_column(at, problems.schema.field("reason"), pa.array(reasons, pa.string()))
