"""Deliveries of one group as one stretch of rows: who sent which, what repeats, and where two contradict each other."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from quintet.terms.tables import QUARANTINE

from .delivery import Delivery
from .evidence import repeats_key
from .normalise import Normalised
from .rows import I64, RawRows, key_order, starts_of_runs

WORDS = ("site", "meter", "commodity", "unit")


def joined(tables: list[pa.Table]) -> pa.Table:
    """Put tables of readings behind one another; a column that some lack (`sent_at`) is null there."""
    if any(table.schema != tables[0].schema for table in tables):
        tables = [plain(table) for table in tables]
    return pa.concat_tables(tables, promote_options="default")


def plain(table: pa.Table) -> pa.Table:
    """Give a table of readings with its words as plain strings."""
    for name in WORDS:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.string()))
    return table.replace_schema_metadata(None)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The rows of deliveries that may become one batch.

    `rows` are sorted by channel and moment, no two the same; `who` numbers the delivery of each, the first that said
    it; `repeated` counts by delivery what an earlier row of the group said; `problems` are all rows set aside
    (QUARANTINE) and `whose` the delivery of each. `cut` is how many deliveries these are, from the first: the next one
    contradicts one of them.
    """

    rows: RawRows
    who: I64
    repeated: I64
    problems: pa.Table
    whose: I64
    cut: int

    @classmethod
    def of(cls, deliveries: list[Delivery], named: Normalised) -> "Arrivals":
        """Bring normalised rows of deliveries, one behind the other, into order; `named` has no earlier problems."""
        counts = np.array([delivery.readings.num_rows for delivery in deliveries], np.int64)
        sender = np.repeat(np.arange(len(deliveries)), counts)
        taken = np.ones(len(sender), np.bool_)
        taken[named.aside] = False
        rows, who, first = in_order(named.rows, sender[taken])
        cut = first_contradiction(rows.take(first), who[first], len(deliveries))
        early = who < cut
        problems, whose = set_aside(deliveries, named, sender)
        mine = whose < cut
        return cls(
            rows.take(first & early),
            who[first & early],
            np.bincount(who[~first & early], minlength=len(deliveries)),
            problems.filter(pa.array(mine)),
            whose[mine],
            cut,
        )


def in_order(rows: RawRows, who: I64) -> tuple[RawRows, I64, np.typing.NDArray[np.bool_]]:
    """Sort rows by channel and moment, in order of arrival within; mark those that no earlier row says as well."""
    order = key_order(rows.channel, rows.at_us)
    if order is not None:
        rows, who = rows.take(order), who[order]
    first = np.ones(len(rows), np.bool_)
    same = repeats_key(rows)
    if same.any():
        group = np.cumsum(~same) - 1
        here = np.flatnonzero(np.bincount(group)[group] > 1)
        here = here[np.lexsort((rows.unit[here], rows.exponent[here], rows.mantissa[here], group[here]))]
        first[here] = False
        first[here[starts_of_runs(group[here], rows.mantissa[here], rows.exponent[here], rows.unit[here])]] = True
    return rows, who, first


def first_contradiction(rows: RawRows, who: I64, count: int) -> int:
    """Find the first delivery that says something else than an earlier one of the same channel and moment.

    `rows` are sorted and no two the same; gives `count` where there is none.
    """
    same = repeats_key(rows)
    if not same.any():
        return count
    heads = np.flatnonzero(~same)
    earliest = np.minimum.reduceat(who, heads)[np.cumsum(~same) - 1]
    return int(who[who > earliest].min(initial=count))


def set_aside(deliveries: list[Delivery], named: Normalised, sender: I64) -> tuple[pa.Table, I64]:
    """Give all rows set aside, by the doors and by name, under their senders' names, and the delivery of each."""
    by_door = np.repeat(np.arange(len(deliveries)), [delivery.refused.num_rows for delivery in deliveries])
    if not len(by_door) and not len(named.aside):
        return QUARANTINE.empty_table(), by_door
    tables = [delivery.refused.cast(QUARANTINE) for delivery in deliveries if delivery.refused.num_rows]
    problems = pa.concat_tables([*tables, named.quarantine])
    whose = np.concatenate([by_door, sender[named.aside]])
    order = np.argsort(whose, kind="stable")
    names = pa.array([deliveries[one].source for one in whose], pa.string())
    problems = problems.set_column(0, QUARANTINE.field("source"), names)
    return problems.take(pa.array(order)), whose[order]
