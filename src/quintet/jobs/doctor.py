"""Looking a city over: what is wrong, what it means, how to mend it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from quintet.access.flows import BOUNDARY, KEY, Counted
from quintet.access.hour_sums import Known, sums
from quintet.ledger.targets import unplaced
from quintet.pipeline.difference import all_new, reduced
from quintet.pipeline.rows import IntervalRows
from quintet.registry import Registry
from quintet.registry.tree import ROOT
from quintet.store.closing import bounds, open_days
from quintet.store.engine import Engine, Snapshot
from quintet.store.flows import wrong_above
from quintet.store.originals import not_kept
from quintet.store.read import content_hash, intervals
from quintet.store.scrub import scrub
from quintet.store.set_flows import wrong_months
from quintet.terms.errors import Damaged
from quintet.terms.period import day_numbers, day_of_number, from_us

COMPARED = 5_000_000
"""Intervals compared with their daily sums at once: about 0.2 GB."""
FROM_BACKUP = (
    "Restore a backup of before (`quintet backup restore`), or fill a new city from the same originals: sums are made "
    "as readings are committed. If nobody changed the store by other means than Quintet, report this."
)
"""What mends wrong sums."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: a stable code, where, what, how to mend it; severity is `error` or `warning`."""

    code: str
    place: str
    message: str
    remedy: str
    severity: str


@dataclass(frozen=True, slots=True)
class Examination:
    """What a look at the city gave: findings, and facts (content hash, counts, versions)."""

    findings: list[Finding]
    facts: dict[str, Any]


def examine(engine: Engine, registry: Registry, *, scrub_all: bool = True) -> Examination:
    """Examine a city: files against digests, rollups against intervals, registry against itself, quarantine, space."""
    findings: list[Finding] = []
    if scrub_all:
        findings += [
            Finding("damaged", damage.place, damage.message, damage.remedy, "error") for damage in scrub(engine)
        ]
    if not findings:
        try:
            findings += wrong_rollups(engine) + wrong_flows(engine, registry)
        except Damaged as damage:
            findings.append(Finding("damaged", damage.place, damage.message, damage.remedy, "error"))
    findings += [
        Finding("dangling", "city.toml", text, "Correct city.toml or register the meter.", "warning")
        for text in (*registry.dangling(), *unplaced(registry.timelines, registry.tree.bodies))
    ]
    try:
        findings += waiting(engine)
        return Examination(findings, facts(engine, hashed=not any(f.code == "damaged" for f in findings)))
    except Damaged:  # the scrub has named it; what cannot be read is not counted
        return Examination(findings, {"content_hash": None})


def wrong_rollups(engine: Engine) -> list[Finding]:
    """Compare each day's rollup with the sums of its effective intervals, some days at a time."""
    out: list[Finding] = []
    with engine.snapshot() as snapshot:
        for first, last in stretches(engine, snapshot):
            low, high = bounds(engine, first)[0], bounds(engine, last)[1]
            table = intervals(engine, snapshot, low, high)
            rows = IntervalRows(*(table[name].to_numpy() for name in ("channel", "start_us", "value", "quality")))
            sums = reduced(all_new(rows), "day", day_numbers(rows.start_us, engine.tz), 0)
            wrong = snapshot.arrow(
                """select day, count(*) as n from (select channel, day from (
                    select channel, day, value, arrived, estimated from sums union all
                    select channel, day, -value, -arrived, -estimated from rollup_day where day between ? and ?)
                    group by all having sum(value) <> 0 or sum(arrived) <> 0 or sum(estimated) <> 0)
                    group by day order by day""",
                [first, last],
                {"sums": sums},
            )
            for day, count in zip(wrong["day"].to_pylist(), wrong["n"].to_pylist(), strict=True):
                text = f"daily sums of {count} channels differ from their intervals."
                out.append(Finding("rollup", day_of_number(day).isoformat(), text, FROM_BACKUP, "error"))
        for month in wrong_months(snapshot):
            text = "sums of the month differ from those of its days."
            out.append(Finding("rollup", f"{month // 12}-{month % 12 + 1:02}", text, FROM_BACKUP, "error"))
    return out


def wrong_flows(engine: Engine, registry: Registry) -> list[Finding]:
    """Compare the city's hourly sums, as answers are made from them, with those of its effective intervals."""
    out: list[Finding] = []
    counted = Counted.of(registry, ROOT)
    with engine.snapshot() as snapshot:
        for first, last in stretches(engine, snapshot):
            edges_us = np.array([bounds(engine, first)[0], bounds(engine, last)[1]], np.int64)
            quick = sums(engine, snapshot, counted, edges_us)
            plain = sums(engine, snapshot, counted, edges_us, Known(engine.last_batch, scratch=True))
            wrong = snapshot.rows(
                f"""select count(*), min(bucket_us) from (select bucket_us from (
                    select * from quick union all by name
                    select * replace (-value as value, -arrived_min as arrived_min, -estimated_min as estimated_min)
                    from plain) group by bucket_us, {", ".join(KEY)}
                    having sum(value) <> 0 or sum(arrived_min) <> 0 or sum(estimated_min) <> 0)""",
                tables={"quick": quick, "plain": plain},
            )
            if wrong[0][0]:
                text = f"{wrong[0][0]} hourly sums of the city differ from their intervals."
                out.append(Finding("rollup", from_us(wrong[0][1]).isoformat(), text, FROM_BACKUP, "error"))
            apart = wrong_above(snapshot, first, last, ROOT, BOUNDARY)
            if apart:
                text = f"{len(apart)} hourly sums of the city differ from those of its places."
                out.append(Finding("rollup", from_us(apart[0]).isoformat(), text, FROM_BACKUP, "error"))
    return out


def stretches(engine: Engine, snapshot: Snapshot) -> list[tuple[int, int]]:
    """Cut the days that hold anything into stretches of about COMPARED intervals."""
    out: list[tuple[int, int]] = []
    held = COMPARED
    days = dict.fromkeys(open_days(engine, snapshot), 0)
    days |= dict(snapshot.rows("select day, rows from lake_file where live and lake = 'intervals'"))
    days |= dict(snapshot.rows("select day, sum(arrived + estimated) from rollup_day group by day"))
    for day, count in sorted(days.items()):
        held += int(count)
        if held > COMPARED:
            out.append((day, day))
            held = int(count)
        else:
            out[-1] = (out[-1][0], day)
    return out


def waiting(engine: Engine) -> list[Finding]:
    """Count what stands in quarantine, by reason."""
    with engine.snapshot() as snapshot:
        rows = snapshot.rows("select code, any_value(reason), count(*) from quarantine group by code order by code")
        beyond = not_kept(snapshot)
    full = [
        Finding(
            "quarantine_full",
            f"{source}: {code}",
            f"{one.rows} rows could not be taken and are not kept either: the source's quarantine was full.",
            "Mend the cause, then replay or dismiss what waits; let the sender send the rows again.",
            "warning",
        )
        for (source, code), one in beyond.items()
    ]
    return full + [
        Finding(
            "quarantine",
            code,
            f"{count} rows are set aside: {reason}",
            "Mend the cause; `quintet quarantine list` shows them.",
            "warning",
        )
        for code, reason, count in rows
    ]


def facts(engine: Engine, *, hashed: bool) -> dict[str, Any]:
    """Count what the city holds."""
    counted = {
        "batches": "select count(*) from batch",
        "raw_rows": """select (select count(*) from raw)
            + coalesce((select sum(rows) from lake_file where live and lake = 'raw'), 0)""",
        "interval_versions": """select (select count(*) from interval)
            + coalesce((select sum(rows) from lake_file where live and lake <> 'raw'), 0)""",
        "closed_days": "select count(*) from closed_day",
        "lake_bytes": "select coalesce(sum(bytes), 0) from lake_file where live",
        "quarantined": "select count(*) from quarantine",
    }
    with engine.snapshot() as snapshot:
        out: dict[str, Any] = {name: int(snapshot.rows(sql)[0][0]) for name, sql in counted.items()}
        version = snapshot.rows("select value from meta where key = 'schema_version'")[0][0]
        return {
            **out,
            "schema_version": int(version),
            "content_hash": content_hash(snapshot) if hashed else None,
        }
