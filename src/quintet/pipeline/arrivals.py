"""Deliveries of one group as one stretch of rows: who sent which, what repeats, and where two contradict each other."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.tables import QUARANTINE

from .bounds import limits
from .delivery import Delivery
from .evidence import Amounts, repeats_key
from .normalise import Normalised
from .rows import I16, I64, Mask, RawRows, key_order, starts_of_runs

MESSAGE = "message"
WORDS = ("site", "meter", "commodity", "unit")


def joined(tables: list[pa.Table]) -> pa.Table:
    """Put tables of readings behind one another; a column that some lack (`sent_at`) is null there."""
    try:
        return pa.concat_tables(tables)
    except pa.ArrowInvalid:  # they differ; asking each before costs more than all the rest
        return pa.concat_tables([plain(table) for table in tables], promote_options="default")


def plain(table: pa.Table) -> pa.Table:
    """Give a table of readings with its words as plain strings."""
    for name in WORDS:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.string()))
    return table.replace_schema_metadata(None)


@dataclass(frozen=True, slots=True)
class Named:
    """The rows of deliveries, one behind the other, with their channels; `rows` has no earlier problems.

    `message` numbers the message of each row as it was sent, upwards: all rows of a delivery without an order are one.
    `sender_of` gives the delivery of each message.
    """

    rows: Normalised
    message: I64
    sender_of: I64

    @classmethod
    def of(cls, deliveries: list[Delivery], readings: pa.Table, rows: Normalised) -> "Named":
        """Tell apart the messages of joined readings."""
        counts = np.array([delivery.readings.num_rows for delivery in deliveries], np.int64)
        sender = np.repeat(np.arange(len(deliveries)), counts)
        same = np.zeros(len(sender), np.bool_)
        same[1:] = sender[1:] == sender[:-1]
        heeded = np.array([one.in_order and not one.key for one in deliveries], np.bool_)[sender]
        if MESSAGE in readings.column_names and heeded.any():
            said = pc.fill_null(readings[MESSAGE], -1).to_numpy()
            same[1:] &= ~heeded[1:] | ((said[1:] == said[:-1]) & (said[1:] >= 0))
        else:
            same &= ~heeded
        return cls(rows, np.cumsum(~same) - 1, sender[~same])

    @property
    def taken(self) -> Mask:
        """Mark the rows that mean a channel."""
        out = np.ones(len(self.message), np.bool_)
        out[self.rows.aside] = False
        return out


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The rows of deliveries that may become one batch.

    `rows` are sorted by channel and moment, no two the same; `who` numbers the delivery of each, the first that said
    it; `repeated` counts by delivery what an earlier row of the group said; `problems` are all rows set aside
    (QUARANTINE) and `whose` the delivery of each. `cut` is how many deliveries these are, from the first: the next one
    contradicts one of them, or is in order and contradicts itself (0: the first one does, see `rounds`).
    """

    rows: RawRows
    who: I64
    repeated: I64
    problems: pa.Table
    whose: I64
    cut: int

    @classmethod
    def of(cls, deliveries: list[Delivery], named: "Named", amounts: Amounts) -> "Arrivals":
        """Bring named rows of deliveries, one behind the other, into order."""
        rows, message, first = in_order(named.rows.rows, named.message[named.taken], amounts)
        who = named.sender_of[message]
        cut = first_contradiction(rows.take(first), who[first], message[first], len(deliveries))
        early = who < cut
        problems, whose = set_aside(deliveries, named.rows, named.sender_of[named.message])
        mine = whose < cut
        return cls(
            rows.take(first & early),
            who[first & early],
            np.bincount(who[~first & early], minlength=len(deliveries)),
            problems.filter(pa.array(mine)),
            whose[mine],
            cut,
        )


def in_order(rows: RawRows, who: I64, amounts: Amounts) -> tuple[RawRows, I64, Mask]:
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
        here.sort()
        mixed = here[in_several_units(group[here], rows.unit[here])]
        said: set[tuple[int, Fraction]] = set()
        keys = zip(group[mixed].tolist(), amounts.of(rows.take(mixed)), strict=True)
        for place, key in zip(mixed.tolist(), keys, strict=True):
            first[place] = key not in said
            said.add(key)
    return rows, who, first


def in_several_units(group: I64, unit: I16) -> Mask:
    """Mark the rows of those groups (sorted, numbered) whose rows are in different units."""
    heads = starts_of_runs(group)
    if not len(heads):
        return np.zeros(0, np.bool_)
    mixed = np.minimum.reduceat(unit, heads) != np.maximum.reduceat(unit, heads)
    return np.repeat(mixed, np.diff(np.append(heads, len(group))))


def first_contradiction(rows: RawRows, who: I64, message: I64, count: int) -> int:
    """Find the first delivery that says something else than an earlier one of the same channel and moment.

    `rows` are sorted and no two the same. That two messages of one delivery contradict each other counts too. Gives the
    number of deliveries, `count`, where there is none.
    """
    same = repeats_key(rows)
    if not same.any():
        return count
    heads = np.flatnonzero(~same)
    earliest = np.minimum.reduceat(who, heads)[np.cumsum(~same) - 1]
    again = np.flatnonzero(same)
    itself = who[again][(who[again] == who[again - 1]) & (message[again] != message[again - 1])]
    return int(np.concatenate([who[who > earliest], itself]).min(initial=count))


def rounds(delivery: Delivery, named: Named, amounts: Amounts) -> list[Delivery]:
    """Cut a delivery in order that contradicts itself into deliveries which do not: committed in turn, the last wins.

    Of each channel's moment every message that says something new has a round of its own, in the order they came. Of a
    moment with more than `limits().most_rounds` of them the oldest share the first round.
    """
    rows, place, first = in_order(named.rows.rows, np.flatnonzero(named.taken), amounts)
    heads = starts_of_runs(rows.channel, rows.at_us)
    sizes = np.diff(np.append(heads, len(rows)))
    telling, message = np.flatnonzero(first), named.message[place]
    step = np.zeros(len(rows), np.int64)
    step[telling[1:]] = message[telling[1:]] != message[telling[:-1]]
    step[heads] = 0  # the first row of a moment is always telling
    said = np.cumsum(step)
    number = said - np.repeat(said[heads], sizes)  # a row that repeats an earlier one is known by its round
    last = np.repeat(np.maximum.reduceat(number, heads), sizes)
    turn = np.zeros(len(named.message), np.int64)
    turn[place] = np.maximum(number - np.maximum(last - limits().most_rounds + 1, 0), 0)
    return [
        replace(
            delivery,
            readings=delivery.readings.filter(pa.array(turn == one)),
            refused=delivery.refused if one == 0 else QUARANTINE.empty_table(),
            shapes=delivery.shapes if one == 0 else frozenset(),
            in_order=False,
            named=None,
        )
        for one in range(int(turn.max()) + 1)
    ]


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
