"""The operation behind `quintet top`: how the owner of the city runs."""

from collections import Counter
from dataclasses import asdict, fields
from typing import Any
from zoneinfo import ZoneInfo

from quintet.pipeline.grouping import Stats
from quintet.terms.period import from_us

from .answer import Answer, Progress, document_of
from .cells import local, plain, rows_of
from .city import City
from .metrics_facts import Facts
from .requests import Status

COLUMNS = ["what", "value"]


def status(city: City, _asked: Status, _progress: Progress) -> Answer:
    """Give how the owner runs: rates, lag, queue, doors, staleness, quarantine, newest commits."""
    document = document_for(city.observer.facts(), city.registry().tz)
    rows = [{"what": name, "value": str(value)} for name, value in short(document).items()]
    return Answer(COLUMNS, rows_of(COLUMNS, rows), document_of(document))


def document_for(facts: Facts, tz: ZoneInfo) -> dict[str, Any]:
    """Give the facts as a plain document for scripts and for `quintet top`; moments on the city's clock."""
    late = [{**asdict(one), "late": {str(step): count for step, count in one.late.items()}} for one in facts.staleness]
    commits = [
        {**{name: getattr(seen, name) for name in ("batch", "kind", "actor", "accepted", "duplicate", "quarantined")},
         "at": local(from_us(seen.at_us), tz)}
        for seen in facts.commits
    ]  # fmt: skip
    document = {
        "now": local(from_us(facts.now_us), tz),
        "last_batch": facts.last_batch,
        "newest_reading_age_s": facts.newest_reading_age_s,
        "last_commit_age_s": facts.last_commit_age_s,
        "readings": facts.rows,
        "batches": facts.batches,
        "rates": {
            str(window): {"readings_a_second": rows, "commits_a_second": commits}
            for window, (rows, commits) in facts.rates.items()
        },
        "committer": committer_document(facts.committer),
        "doors": [asdict(door) for door in facts.doors],
        "listeners": facts.listeners,
        "staleness": late,
        "quarantine": facts.quarantine,
        "quarantine_not_kept": facts.not_kept,
        "drift": facts.drift,
        "open_days": facts.open_days,
        "disk_free_bytes": facts.disk_free_bytes,
        "disk_bytes": facts.disk_bytes,
        "commits": commits,
    }
    return plain(document)


def committer_document(stats: Stats | None) -> dict[str, Any]:
    """Give the Committer's counters; nothing where none runs (a command without `serve`)."""
    if stats is None:
        return {}
    mean = stats.commit_seconds / stats.commits if stats.commits else 0.0
    said = {one.name: getattr(stats, one.name) for one in fields(stats)}
    # not `asdict`: it would count a Counter's pairs anew
    return {name: dict(value) if isinstance(value, Counter) else value for name, value in said.items()} | {
        "mean_commit_ms": round(mean * 1000, 2)
    }


def short(document: dict[str, Any]) -> dict[str, Any]:
    """Give the lines that a table shows: one fact each."""
    rates = document["rates"]
    window = next(iter(rates), "")
    channels = sum(group["channels"] for group in document["staleness"])
    first = next(iter(document["staleness"]), {"late": {}})["late"]
    late = {step: sum(group["late"][step] for group in document["staleness"]) for step in first}
    return {
        "now": document["now"],
        "newest batch": document["last_batch"],
        f"readings a second ({window} s)": rates[window]["readings_a_second"] if window else 0,
        f"commits a second ({window} s)": rates[window]["commits_a_second"] if window else 0,
        "newest reading, seconds ago": document["newest_reading_age_s"],
        **{f"readings {name}": count for name, count in document["readings"].items()},
        **{
            f"committer {name}": value
            for name, value in document["committer"].items()
            if isinstance(value, int | float)
        },
        **{f"door {door['name']}": door["state"] for door in document["doors"]},
        "listeners": document["listeners"],
        "channels": channels,
        **{f"channels late by {step} cadences": count for step, count in late.items()},
        "in quarantine": sum(document["quarantine"].values()),
        "set aside, not kept": sum(document["quarantine_not_kept"].values()),
        "open days": document["open_days"],
        "disk free, GB": round(document["disk_free_bytes"] / 1e9, 1),
    }
