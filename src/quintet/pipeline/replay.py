"""Quarantined readings, tried once more by the registry as it is now: what can be taken becomes readings.

A row counts as what it was: its clock is judged by the moment it came, and a reading that came after it stands.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import numpy as np
import pyarrow as pa

from quintet.store.audit import audit
from quintet.store.engine import Engine, Writing
from quintet.store.quarantine import (
    OPEN,
    TAKEN,
    Step,
    Wanted,
    append_problems,
    append_steps,
    new_problems,
    newest_id,
    received,
    taken_in,
)
from quintet.store.read import raw_readings
from quintet.terms.tables import MOMENT, QUARANTINE, READINGS

from .arrivals import in_order, joined
from .bounds import limits
from .evidence import known_places
from .groups import WritePath
from .normalise import STAMPED
from .rows import I32, I64, Mask, RawRows, starts_of_runs

PAGE = limits().replay_page
Decode = Callable[[str, str], tuple[pa.Table, pa.Table]]
"""Decodes a row's source and original as its door does: READINGS and QUARANTINE."""

WAS_READ = pa.schema([*READINGS, pa.field("sent_at", MOMENT), pa.field(STAMPED, pa.bool_())])


class Original(msgspec.Struct, forbid_unknown_fields=True):
    """A decoded reading as the pipeline sets it aside."""

    site: str
    meter: str
    at: datetime | None = None
    value: float | None = None
    commodity: str | None = None
    unit: str | None = None
    sent_at: datetime | None = None
    stamped: bool | None = None


_ORIGINAL = msgspec.json.Decoder(Original)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of quarantined rows: `taken` as readings, `known` or `superseded` by others, `kept` aside."""

    taken: int = 0
    known: int = 0
    superseded: int = 0
    kept: int = 0
    batches: tuple[int, ...] = ()

    def __add__(self, other: "Replayed") -> "Replayed":
        """Add up two pages."""
        return Replayed(
            self.taken + other.taken,
            self.known + other.known,
            self.superseded + other.superseded,
            self.kept + other.kept,
            self.batches + other.batches,
        )


@dataclass(slots=True)
class Page:
    """Some quarantined rows, decoded again: `readings` with the quarantined row (its place on the page) of each."""

    rows: pa.Table
    readings: pa.Table
    whose: I64
    refused: dict[int, pa.Table] = field(default_factory=dict[int, pa.Table])


class Replay:
    """Tries quarantined rows again."""

    def __init__(self, path: WritePath, engine: Engine, decode: Decode | None, actor: str) -> None:
        """Write through the one write path; without `decode` only what was decoded once can be tried."""
        self._path = path
        self._engine = engine
        self._decode = decode
        self._actor = actor
        none = np.zeros(0, np.int64)
        self.waits: tuple[I32, I64] = (none.astype(np.int32), none)
        """Channels and moments for which nothing stands yet though a row that was tried, and not taken, says them."""

    def run(self, wanted: Wanted, *, take: bool = True) -> Replayed:
        """Try the wanted rows, page by page; with `take` off, only mark those that another reading stands for."""
        total, after = Replayed(), 0
        with self._engine.snapshot() as snapshot:
            until = newest_id(snapshot)
        while True:
            with self._engine.snapshot() as snapshot:
                rows = received(snapshot, wanted, limit=PAGE, after=after, until=until)
            if not rows.num_rows:
                return total
            total += self._page(rows, take=take)
            after = int(rows["id"][-1].as_py())

    def _page(self, rows: pa.Table, *, take: bool) -> Replayed:
        """Try one page and commit what comes of it."""
        page = read_again(rows, self._decode if take else None)
        with self._engine.exclusive():
            came_us = rows["received_us"].to_numpy()[page.whose]
            batch = rows["batch"].to_numpy().astype(np.int32)[page.whose]
            named = self._path.normaliser().normalise(page.readings, QUARANTINE.empty_table(), came_us, "")
            good = np.ones(len(page.whose), np.bool_)
            good[named.aside] = False
            raw, place, first = in_order(named.rows, np.flatnonzero(good), self._path.amounts())
            new, known, late = self._compared(raw, batch[place], first, take=take)
            fate = Fates.of(len(rows), page.whose[place], new, known, late)
            steps, faults = self._told(page, named.quarantine, page.whose[named.aside], fate, take=take)
            if not take:
                self.waits = (
                    np.concatenate([self.waits[0], raw.channel[new]]),
                    np.concatenate([self.waits[1], raw.at_us[new]]),
                )
                new[:] = False
            with self._engine.snapshot() as snapshot:
                faults = new_problems(snapshot, faults, by_row=False)
            if not (steps or faults.num_rows or new.any()):
                return Replayed(kept=rows.num_rows)

            def more(writing: Writing) -> None:
                append_steps(writing, steps)
                append_problems(writing, faults)
                writing.batch.duplicate, writing.batch.quarantined = int((~new).sum()), faults.num_rows
                if take or steps:
                    said = {"tried": rows.num_rows, "settled": sorted(step.id for step in steps if step.state == TAKEN)}
                    audit(writing, action="replay" if take else "settle", subject="quarantine", detail=said)

            done = self._path.write(raw.take(new), more, source="quarantine", actor=self._actor)
        ended = [step for step in steps if step.state == TAKEN]
        codes = [step.code for step in ended]
        counted = (codes.count(code) for code in ("taken", "known", "superseded"))
        return Replayed(*counted, kept=rows.num_rows - len(ended), batches=(done.id,))

    def _compared(self, raw: RawRows, batch: I32, first: Mask, *, take: bool) -> tuple[Mask, Mask, Mask]:
        """Mark rows that count as new readings, those that say what is known or another row says, and superseded ones.

        Without `take` one of which nobody can tell whether it is superseded is none of them.
        """
        self._path.tails.grow(int(raw.channel[-1]) if len(raw) else 0)
        known = ~first
        new, unsure = first.copy(), np.zeros(len(raw), np.bool_)
        if len(raw):
            stands = newest_batches(self._engine, raw)
            stands, unsure = self._first_received(raw, stands)
            heads = starts_of_runs(raw.channel, raw.at_us)
            newest = np.repeat(np.maximum.reduceat(batch, heads), np.diff(np.append(heads, len(raw))))
            new &= (stands < batch) & (batch == newest)
            places = np.flatnonzero(first)
            with self._engine.snapshot() as snapshot:
                tails, amounts = self._path.tails, self._path.amounts()
                there = known_places(self._engine, snapshot, raw.take(first), tails.at_us, amounts)
            known[places[there]] = True
            new[places[there]] = False
        return new, known, ~new & ~known & (take | ~unsure)

    def _first_received(self, raw: RawRows, stands: I32) -> tuple[I32, Mask]:
        """Give the batch in which what stands for each row came first: a replayed reading is as old as its row was.

        Marks those of which that cannot be told; they count as of the batch that replayed them.
        """
        batches, which = np.unique(stands, return_inverse=True)
        with self._engine.snapshot() as snapshot:
            rows = taken_in(snapshot, batches.tolist())
        replayed = np.isin(batches, rows["taken"].to_numpy())[which]
        if not rows.num_rows:
            return stands, replayed
        page = read_again(rows, self._decode)
        came_us = rows["received_us"].to_numpy()[page.whose]
        named = self._path.normaliser().normalise(page.readings, QUARANTINE.empty_table(), came_us, "")
        good = np.ones(len(page.whose), np.bool_)
        good[named.aside] = False
        row = page.whose[good]
        keys = zip(
            named.rows.channel.tolist(), named.rows.at_us.tolist(), rows["taken"].to_numpy()[row].tolist(), strict=True
        )
        first: dict[tuple[int, int, int], int] = {}
        for key, batch in zip(keys, rows["batch"].to_numpy()[row].tolist(), strict=True):
            first[key] = max(batch, first.get(key, 0))
        wanted = zip(raw.channel.tolist(), raw.at_us.tolist(), stands.tolist(), strict=True)
        found = np.array([first.get(key, 0) for key in wanted], np.int32)
        return np.where(found > 0, found, stands), replayed & (found == 0)

    def _told(
        self, page: Page, again: pa.Table, whose: I64, fate: "Fates", *, take: bool
    ) -> tuple[list[Step], pa.Table]:
        """Say what became of each quarantined row, and give rows of payloads that are set aside on their own now."""
        ids, codes, reasons = (page.rows[name].to_pylist() for name in ("id", "code", "reason"))
        sources = page.rows["source"].to_pylist()
        bad: dict[int, list[pa.Table]] = {place: [table] for place, table in page.refused.items()}
        for number, place in enumerate(whose.tolist()):
            bad.setdefault(place, []).append(again.slice(number, 1))
        steps: list[Step] = []
        faults: list[pa.Table] = []
        for place, row in enumerate(ids):
            found = fate.of_row(place)
            if found == "taken" and not take:
                continue
            if found:
                steps.append(Step(row, TAKEN, found, ENDINGS[found]))
                for table in bad.get(place, []):
                    names = pa.array([sources[place]] * table.num_rows, pa.string())
                    faults.append(table.cast(QUARANTINE).set_column(0, QUARANTINE.field("source"), names))
            elif take and place in bad:
                code, reason = (bad[place][0][name][0].as_py() for name in ("code", "reason"))
                if (code, reason) != (codes[place], reasons[place]):
                    steps.append(Step(row, OPEN, code, reason))
        return steps, pa.concat_tables(faults) if faults else QUARANTINE.empty_table()


ENDINGS = {
    "taken": "It was tried again and taken.",
    "known": "Another delivery brought the same reading.",
    "superseded": "A reading that came later stands for the same moment.",
}
"""How a quarantined row ends well, and what is said of it."""


@dataclass(frozen=True, slots=True)
class Fates:
    """Which quarantined rows (by place) gave a new reading, a known one, a superseded one."""

    taken: Mask
    known: Mask
    superseded: Mask

    @classmethod
    def of(cls, count: int, whose: I64, new: Mask, known: Mask, late: Mask) -> "Fates":
        """Gather readings by the row they come from."""
        return cls(*(np.bincount(whose[mask], minlength=count) > 0 for mask in (new, known, late)))

    def of_row(self, place: int) -> str:
        """Name the ending of a row; empty when it gave no reading."""
        if self.taken[place]:
            return "taken"
        if self.known[place]:
            return "known"
        return "superseded" if self.superseded[place] else ""


def read_again(rows: pa.Table, decode: Decode | None) -> Page:
    """Decode quarantined rows once more."""
    plain: list[dict[str, object]] = []
    whose: list[int] = []
    tables: list[pa.Table] = []
    decoded: list[int] = []
    refused: dict[int, pa.Table] = {}
    sources, originals, numbers = (rows[name].to_pylist() for name in ("source", "original", "row"))
    for place, (source, original, number) in enumerate(zip(sources, originals, numbers, strict=True)):
        said = was_read(original)
        if said is not None:
            plain.append({**msgspec.structs.asdict(said), "row": number or 1})
            whose.append(place)
        elif decode is not None:
            readings, bad = decode(source, original)
            if bad.num_rows:
                refused[place] = bad
            if readings.num_rows:
                tables.append(readings)
                decoded += [place] * readings.num_rows
    readings = joined([pa.Table.from_pylist(plain, WAS_READ), *tables])
    return Page(rows, readings, np.array(whose + decoded, np.int64), refused)


def was_read(original: str) -> Original | None:
    """Read a reading that the pipeline set aside; None for anything else."""
    try:
        return _ORIGINAL.decode(original)
    except msgspec.DecodeError:
        return None


def newest_batches(engine: Engine, raw: RawRows) -> I32:
    """Give for each row (sorted by channel and moment) the newest batch that has its moment; 0 where there is none."""
    heads = starts_of_runs(raw.channel)
    windows = pa.table({"channel": raw.channel[heads], "from_us": raw.at_us[heads]})
    asked = pa.table({"channel": raw.channel, "at_us": raw.at_us, "place": pa.array(np.arange(len(raw)))})
    with engine.snapshot() as snapshot:
        stored = raw_readings(engine, snapshot, windows)
        found = snapshot.arrow(
            """select a.place, max(s.batch) as batch from asked a join stored s
                on a.channel = s.channel and a.at_us = s.at_us group by a.place""",
            tables={"asked": asked, "stored": stored},
        )
    out = np.zeros(len(raw), np.int32)
    out[found["place"].to_numpy()] = found["batch"].to_numpy()
    return out
