"""Many deliveries, one durable batch: each gets a receipt of its own, and the same key the same receipt."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol

import msgspec
import numpy as np
import pyarrow as pa

from quintet.store.deliveries import Kept, KnownKeys, append_deliveries, find_deliveries, forget_deliveries
from quintet.store.engine import Batch, Engine, Writing
from quintet.store.originals import Room
from quintet.terms.errors import BadInput, QuintetError
from quintet.terms.length import DAY_US
from quintet.terms.tables import QUARANTINE

from .arrivals import Arrivals, Named, joined, rounds
from .aside import Aside, set_aside
from .bounds import limits
from .delivery import Delivery, Outcome, QuarantineFull, Receipt
from .drift import Drift
from .evidence import Amounts, stored_places
from .normalise import Normalised, Normaliser
from .rows import I64, RawRows
from .tails import Tails

NO_PROBLEMS = QUARANTINE.empty_table()
REMEMBERED = ("row", "site", "meter", "code", "reason", "original")
"""What a repeated answer says of a refused row; its source is the sender."""


class WritePath(Protocol):
    """What a group needs of the one write path."""

    tails: Tails

    def normaliser(self) -> Normaliser:
        """Give what resolves names now."""
        ...

    def amounts(self) -> Amounts:
        """Give what compares readings in different units now."""
        ...

    def write(self, rows: RawRows, more: Callable[[Writing], None], *, source: str, actor: str) -> Batch:
        """Commit new raw rows, and what `more` appends, as one batch."""
        ...


class Groups:
    """Commits groups of deliveries."""

    def __init__(self, path: WritePath, engine: Engine, now: Callable[[], int]) -> None:
        """Write through the one write path; `now` gives the moment of receipt (us)."""
        self._path = path
        self._engine = engine
        self._now = now
        self._pruned_us = 0
        self.room = Room()
        with engine.snapshot() as snapshot:
            self.drift = Drift.load(snapshot)
            self._keys = KnownKeys.load(snapshot)

    def commit(self, deliveries: list[Delivery]) -> list[Outcome | QuintetError]:
        """Commit the first deliveries, at least one, up to where one contradicts an earlier one or repeats its key.

        Names are resolved before the write lock is taken, and once more inside it if the registry changed meanwhile.
        """
        deliveries = up_to_repeated_key(deliveries)
        before = self._path.normaliser()
        received_us = self._now()
        arrivals = self._resolved(before, deliveries, received_us)
        with self._engine.exclusive():
            answered = self._answered(deliveries)
            normaliser = self._path.normaliser()
            anew = normaliser is not before or bool(answered)
            while True:
                places = [place for place in range(len(deliveries)) if place not in answered]
                fresh = [deliveries[place] for place in places]
                if not fresh:
                    return in_turn(answered, [], len(deliveries))
                if anew:
                    arrivals = self._resolved(normaliser, fresh, received_us)
                if not arrivals.cut:
                    outcomes = [self._in_rounds(fresh[0], normaliser, received_us)]
                    return in_turn(answered, outcomes, len(deliveries))
                aside = self._aside(fresh[: arrivals.cut], arrivals)
                if not aside.refused:
                    outcomes = self._write(fresh[: arrivals.cut], arrivals, aside)
                    return in_turn(answered, outcomes, len(deliveries))
                wait_s = self.room.bounds.retry_after_s
                answered |= {places[one]: QuarantineFull(fresh[one].source, wait_s) for one in aside.refused}
                anew = True

    def _resolved(self, normaliser: Normaliser, deliveries: list[Delivery], received_us: int) -> Arrivals:
        """Resolve the names of deliveries and bring their rows into order."""
        return Arrivals.of(deliveries, resolve(normaliser, deliveries, received_us), self._path.amounts())

    def _in_rounds(self, delivery: Delivery, normaliser: Normaliser, received_us: int) -> Outcome:
        """Commit a delivery in order that contradicts itself, in as many batches as one moment has amounts."""
        named = resolve(normaliser, [delivery], received_us)
        out: list[Outcome] = []
        for part in rounds(delivery, named, self._path.amounts()):
            arrivals = self._resolved(normaliser, [part], received_us)
            out += self._write([part], arrivals, self._aside([part], arrivals))
        problems = pa.concat_tables([one.problems for one in out])
        receipt, corrected = sum((one.receipt for one in out), Receipt()), sum(one.corrected for one in out)
        return Outcome(max(one.batch for one in out), receipt, problems, corrected=corrected)

    def _answered(self, deliveries: list[Delivery]) -> dict[int, Outcome | QuintetError]:
        """Answer deliveries whose key was there before, by their place."""
        keys = self._keys.known({(one.source, one.key) for one in deliveries if one.key})
        if not keys:
            return {}
        with self._engine.snapshot() as snapshot:
            found = find_deliveries(snapshot, keys, self._now() - limits().key_days * DAY_US)
        known = ((place, one, found.get((one.source, one.key))) for place, one in enumerate(deliveries) if one.key)
        return {place: answer_again(one, kept) for place, one, kept in known if kept is not None}

    def _aside(self, deliveries: list[Delivery], arrivals: Arrivals) -> Aside:
        """Find what of deliveries is set aside; call it with the write lock held."""
        with self._engine.snapshot() as snapshot:
            return set_aside(snapshot, self.room, deliveries, arrivals, self._now())

    def _write(self, deliveries: list[Delivery], arrivals: Arrivals, set_apart: Aside) -> list[Outcome]:
        """Commit what is new of deliveries that do not contradict each other; call it with the write lock held."""
        tails = self._path.tails
        rows = arrivals.rows
        tails.grow(int(rows.channel[-1]) if len(rows) else 0)
        with self._engine.snapshot() as snapshot:
            known, moments = stored_places(self._engine, snapshot, rows, tails.at_us, self._path.amounts())
        new = np.ones(len(rows), np.bool_)
        new[known] = False
        count = len(deliveries)
        corrected = listed(np.bincount(arrivals.who[moments[new[moments]]], minlength=count))
        accepted = np.bincount(arrivals.who[new], minlength=count)
        duplicate = np.bincount(arrivals.who[~new], minlength=count) + arrivals.repeated[:count]
        aside = np.bincount(arrivals.whose, minlength=count)
        receipts = [Receipt(a, d, 0, q) for a, d, q in zip(*map(listed, (accepted, duplicate, aside)), strict=True)]
        outcomes = [
            Outcome(0, receipt, set_apart.problems.slice(end - receipt.quarantined, receipt.quarantined))
            if receipt.quarantined
            else Outcome(0, receipt, NO_PROBLEMS)
            for receipt, end in zip(receipts, listed(np.cumsum(aside)), strict=True)
        ]
        seen = self.drift.compare(deliveries)
        if not (new.any() or set_apart or seen or any(one.key for one in deliveries)):
            return outcomes

        def more(writing: Writing) -> None:
            writing.batch.duplicate, writing.batch.quarantined = int(duplicate.sum()), set_apart.rows
            set_apart.append(writing, self.room)
            self._record(writing, deliveries, outcomes)
            self.drift.append(writing, seen)
            writing.then(lambda: self.drift.remember(seen))

        batch = self._path.write(rows.take(new), more, source=senders(deliveries), actor=doors(deliveries))
        return [
            Outcome(batch.id, one.receipt, one.problems, corrected=rows)
            for one, rows in zip(outcomes, corrected, strict=True)
        ]

    def _record(self, writing: Writing, deliveries: list[Delivery], outcomes: list[Outcome]) -> None:
        """Record the deliveries that have a key; now and then forget those that are too old."""
        kept = [
            record(delivery, outcome, writing.batch.id)
            for delivery, outcome in zip(deliveries, outcomes, strict=True)
            if delivery.key
        ]
        append_deliveries(writing, kept)
        writing.then(lambda: self._keys.add(kept))
        now_us = writing.batch.received_us
        if kept and now_us - self._pruned_us > limits().prune_every_s * 1_000_000:
            forget_deliveries(writing, now_us - limits().key_days * DAY_US)
            left = KnownKeys.load(writing)
            writing.then(lambda: self._pruned(left, now_us))

    def _pruned(self, left: KnownKeys, now_us: int) -> None:
        """Know only the keys that are left."""
        self._keys, self._pruned_us = left, now_us


def listed(counts: I64) -> list[int]:
    """Give counts as plain numbers."""
    return counts.tolist()


def up_to_repeated_key(deliveries: list[Delivery]) -> list[Delivery]:
    """Give the deliveries before the first one that repeats the key of one before it."""
    seen: set[tuple[str, str]] = set()
    for place, one in enumerate(deliveries):
        if one.key and (one.source, one.key) in seen:
            return deliveries[:place]
        seen.add((one.source, one.key))
    return deliveries


def resolve(normaliser: Normaliser, deliveries: list[Delivery], received_us: int) -> Named:
    """Resolve the names of deliveries; those that do not say when they were received came at `received_us`."""
    readings = joined([one.readings for one in deliveries])
    ahead = [one.named[1] for one in deliveries if one.named is not None and one.named[0] is normaliser]
    if len(ahead) == len(deliveries):
        return Named.of(deliveries, readings, Normalised.joined(ahead))
    moments = [one.received_us or received_us for one in deliveries]
    came_us = np.repeat(np.array(moments, np.int64), [one.readings.num_rows for one in deliveries])
    rows = normaliser.normalise(readings, QUARANTINE.empty_table(), came_us, "")
    return Named.of(deliveries, readings, rows)


def in_turn(
    answered: dict[int, Outcome | QuintetError], outcomes: list[Outcome], count: int
) -> list[Outcome | QuintetError]:
    """Put what was answered from the record and what was committed into the order of the deliveries, without a gap."""
    fresh = iter(outcomes)
    out: list[Outcome | QuintetError] = []
    for place in range(count):
        one = answered[place] if place in answered else next(fresh, None)
        if one is None:
            break
        out.append(one)
    return out


def record(delivery: Delivery, outcome: Outcome, batch: int) -> Kept:
    """Give what is recorded of a delivery with a key."""
    problems = outcome.problems.slice(0, limits().problems_kept).select(REMEMBERED).to_pylist()
    counted = asdict(outcome.receipt)
    told = msgspec.json.encode(problems).decode()
    return Kept(delivery.source, delivery.key, delivery.digest, batch, problems=told, **counted)


def answer_again(delivery: Delivery, kept: Kept) -> Outcome | QuintetError:
    """Answer a delivery whose key is known as it was answered before; another body under the same key is refused."""
    if kept.digest != delivery.digest:
        return BadInput(
            f"the key {delivery.key!r} was used before for other contents.",
            code="key_reused",
            place=delivery.source,
            remedy="Give each delivery a key of its own; nothing of this one was taken.",
        )
    rows = [{"source": kept.source, **row} for row in msgspec.json.decode(kept.problems)]
    receipt = Receipt(kept.accepted, kept.duplicate, kept.rejected, kept.quarantined, kept.skipped)
    return Outcome(kept.batch, receipt, pa.Table.from_pylist(rows, QUARANTINE), repeated=True)


def senders(deliveries: list[Delivery]) -> str:
    """Name the senders of a group; of many only their number is said."""
    names = sorted({one.source for one in deliveries})
    return ", ".join(names) if len(names) <= limits().sources_named else f"{len(names)} sources"


def doors(deliveries: list[Delivery]) -> str:
    """Name the doors of a group."""
    return ", ".join(sorted({one.actor for one in deliveries}))
