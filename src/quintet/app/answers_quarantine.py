"""Operations on what could not be taken: list, explain, count, try again, dismiss, and what changed of the fields."""

from dataclasses import asdict
from typing import Any

from quintet.pipeline.remedies import remedy_for
from quintet.store.originals import NotKept, not_kept
from quintet.store.quarantine import DISMISSED, OPEN, TAKEN, Wanted, counts, quarantined
from quintet.store.shapes import changes
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.period import from_us

from .answer import Answer, Progress, Step, document_of
from .asked_known import known_batch_of
from .cells import local, plain, rows_of
from .city import City
from .redecode import decoder
from .requests import (
    QuarantineCount,
    QuarantineDismiss,
    QuarantineDrift,
    QuarantineExplain,
    QuarantineList,
    QuarantineReplay,
)

COLUMNS = ["id", "received", "source", "row", "site", "meter", "code", "reason", "original", "state"]
SETTLED = ["settled", "settled_in", "settled_by"]
COUNTED = ["source", "code", "rows", "not_kept", "newest", "remedy"]
CHANGED = ["seen", "batch", "source", "change", "field", "kind", "was"]
REPLAYED = ["taken", "known", "superseded", "kept"]
SHOWN = {"list": 200, "explain": 2_000}
"""Characters of an original that are shown: one may have megabytes, which no table and no terminal is for."""
FULL = "Rows not kept came while the quarantine of their source was full: only their sender can have them still."
NOW_ONLY = "Rows that were not kept are counted without their moment: they are told as of now only."
STATES = (OPEN, TAKEN, DISMISSED, "any")


def quarantine_list(city: City, asked: QuarantineList, _progress: Progress) -> Answer:
    """Give what could not be taken, newest first; `next` is what `before` takes for the following page.

    Long originals are cut: `explain` gives one whole.
    """
    if asked.state not in STATES:
        raise UsageError(
            f"there is no state {asked.state!r}.", code="bad_state", remedy=f"States are {', '.join(STATES)}."
        )
    wanted = Wanted(asked.source, asked.code, state="" if asked.state == "any" else asked.state)
    with city.engine.snapshot() as snapshot:
        known = known_batch_of(city, snapshot, asked.known_at)
        page = quarantined(snapshot, wanted, limit=asked.limit + 1, before=asked.before, known_batch=known)
    rows = page.to_pylist()
    shown = [_cut(_row(city, row), SHOWN["list"]) for row in rows[: asked.limit]]
    more = rows[asked.limit - 1]["id"] if len(rows) > asked.limit else None
    notes = [] if more is None else [f"There are more: --before {more}."]
    return Answer(
        COLUMNS,
        rows_of(COLUMNS, shown),
        document_of({"quarantine": plain(shown), "next": more}),
        title=f"{len(shown)} in quarantine",
        notes=notes,
    )


def quarantine_explain(city: City, asked: QuarantineExplain, _progress: Progress) -> Answer:
    """Give one row with its reason in words, what to do, and what became of it since."""
    with city.engine.snapshot() as snapshot:
        known = known_batch_of(city, snapshot, asked.known_at)
        found = quarantined(snapshot, Wanted(ids=(asked.id,), state=""), limit=1, known_batch=known).to_pylist()
    if not found:
        raise NotFound(
            f"no row {asked.id} is in quarantine.", code="no_such_row", remedy="See `quintet quarantine list`."
        )
    row = _row(city, found[0])
    remedy = remedy_for(row["code"])
    facts = {**row, "remedy": remedy.remedy, "try_again": remedy.again, **{n: found[0][n] for n in SETTLED}}
    short = facts if asked.original else _cut(facts, SHOWN["explain"])
    told = [{"name": name, "value": value} for name, value in short.items()]
    notes = [] if short["original"] == facts["original"] else ["The original is cut: --original gives the whole."]
    return Answer(["name", "value"], rows_of(["name", "value"], told), document_of(plain(facts)), notes=notes)


def quarantine_count(city: City, asked: QuarantineCount, _progress: Progress) -> Answer:
    """Count what waits, per source and code, with what to do about it.

    `not_kept` are rows that came when the source's quarantine was full: they were counted, their originals not kept.
    No moment is kept with them, so as known at a moment it is null.
    """
    with city.engine.snapshot() as snapshot:
        known = known_batch_of(city, snapshot, asked.known_at)
        rows: list[dict[str, Any]] = counts(snapshot, known_batch=known).to_pylist()
        beyond = not_kept(snapshot) if asked.known_at is None else {}
    rows += [
        {"source": source, "code": code, "rows": 0, "newest": None}
        for source, code in beyond.keys() - {(row["source"], row["code"]) for row in rows}
    ]
    for row in rows:
        lacking = beyond.get((row["source"], row["code"]), NotKept()).rows if asked.known_at is None else None
        row |= {"not_kept": lacking, "remedy": remedy_for(row["code"]).remedy}
    total = sum(row["rows"] for row in rows)
    lost = sum(row["not_kept"] for row in rows) if asked.known_at is None else None
    return Answer(
        COUNTED,
        rows_of(COUNTED, rows),
        document_of({"quarantine": rows, "rows": total, "not_kept": lost}),
        numbers=["rows", "not_kept"],
        title=f"{total} in quarantine",
        notes=[FULL] if lost else [NOW_ONLY] if lost is None else [],
    )


def quarantine_replay(city: City, asked: QuarantineReplay, progress: Progress) -> Answer:
    """Try rows again by the registry as it is now; what is taken becomes readings, the rest stays."""
    progress(Step("trying again"))
    wanted = Wanted(asked.source, asked.code, tuple(asked.ids))
    done = city.pipeline.replay(wanted, actor=asked.actor, decode=decoder(city))
    facts = {name: asdict(done)[name] for name in REPLAYED}
    notes = ["What stayed has its reason: see `quintet quarantine count`."] if done.kept else []
    return Answer(
        REPLAYED,
        rows_of(REPLAYED, [facts]),
        document_of({**facts, "batches": list(done.batches)}),
        numbers=REPLAYED,
        notes=notes,
    )


def quarantine_dismiss(city: City, asked: QuarantineDismiss, _progress: Progress) -> Answer:
    """Say of rows that nobody wants them; they are kept and no longer counted."""
    if not asked.reason.strip():
        raise UsageError("no reason is given.", code="no_reason", remedy="Say why with --reason.")
    facts = {"dismissed": city.pipeline.dismiss(asked.ids, reason=asked.reason.strip(), actor=asked.actor)}
    notes = [] if facts["dismissed"] == len(set(asked.ids)) else ["The other rows are not there, or settled already."]
    return Answer(["dismissed"], rows_of(["dismissed"], [facts]), document_of(facts), notes=notes)


def quarantine_drift(city: City, asked: QuarantineDrift, _progress: Progress) -> Answer:
    """Give the fields that came, went or changed their kind, newest first."""
    with city.engine.snapshot() as snapshot:
        known = known_batch_of(city, snapshot, asked.known_at)
        found = changes(snapshot, limit=asked.limit, source=asked.source, known_batch=known).to_pylist()
    rows = [{**row, "seen": local(from_us(row.pop("received_us")), city.registry().tz)} for row in found]
    return Answer(
        CHANGED, rows_of(CHANGED, rows), document_of({"changes": plain(rows)}), title=f"{len(rows)} changes of fields"
    )


def _cut(row: dict[str, Any], most: int) -> dict[str, Any]:
    """Shorten a long original, and say how long it is."""
    original: str = row["original"]
    if len(original) <= most:
        return row
    return {**row, "original": f"{original[:most]}… ({len(original):,} characters)"}


def _row(city: City, row: dict[str, Any]) -> dict[str, Any]:
    """Give a row as it is shown."""
    return {
        **{name: row[name] for name in COLUMNS if name in row},
        "received": local(from_us(row["received_us"]), city.registry().tz),
    }
