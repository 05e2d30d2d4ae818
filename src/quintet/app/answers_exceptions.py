"""Operations of the run over a city's days, and of its queue of exceptions."""

from dataclasses import asdict
from datetime import date

import msgspec

from quintet.access import EVERYTHING
from quintet.jobs.exceptions import close_item, reopen_item
from quintet.store.exceptions import Item
from quintet.terms.errors import UsageError
from quintet.terms.period import day_number
from quintet.views import Questions

from .answer import Answer, Progress, Step, document_of
from .cells import plain, rows_of
from .city import City
from .requests import ExceptionsClose, ExceptionsList, ExceptionsReopen, ExceptionsShow, VeeRun

REPORTED = ["units", "intervals", "findings_changed", "exceptions_changed", "assigned_changed", "marks_changed",
            "findings", "exceptions_open"]  # fmt: skip
LISTED = ["id", "kind", "place", "cause", "state", "since", "age_days", "channels", "won", "recurrences", "action_en"]
NUMBERS = ["id", "age_days", "channels", "won", "recurrences"]
APPROXIMATE = "Won at stake are an approximation: one price a carrier, not the home's own rate card."


def vee_run(city: City, asked: VeeRun, progress: Progress) -> Answer:
    """Judge the weeks that need it. Raises UsageError for what is no day, or an empty range."""
    low, high = (None if text is None else _day(text) for text in (asked.start, asked.end))
    if low is not None and high is not None and high <= low:
        raise UsageError(
            f"the range {asked.start} .. {asked.end} is empty.", code="empty_range", remedy="--to must be after --from."
        )
    days = None if low is None and high is None else (-(2**31) if low is None else low, 2**31 if high is None else high)
    done = city.judge_days(actor=asked.actor or "run", days=days, progress=lambda text: progress(Step(text)))
    facts = {name: asdict(done)[name] for name in REPORTED}
    notes = [] if done.units else ["Nothing has changed since the last run."]
    return Answer(REPORTED, rows_of(REPORTED, [facts]), document_of(facts), numbers=REPORTED, notes=notes)


def exceptions_list(city: City, asked: ExceptionsList, _progress: Progress) -> Answer:
    """Give the queue, worst first."""
    found = questions(city).exceptions(
        state=asked.state, kind=asked.kind, place=asked.place, limit=asked.limit, known_at=asked.known_at
    )
    rows = [msgspec.structs.asdict(one) for one in found.exceptions]
    notes = [APPROXIMATE] if rows else []
    if found.total > len(rows):
        notes.append(f"{len(rows)} of {found.total} are listed: see --limit.")
    document = {
        "known_at": found.known_at, "total": found.total, "won": found.won, "exceptions": rows, "note": APPROXIMATE,
    }  # fmt: skip
    return Answer(
        LISTED, rows_of(LISTED, rows), document_of(plain(document)), numbers=NUMBERS, notes=notes,
        title=f"{found.total} {'' if asked.state == 'any' else asked.state + ' '}exceptions",
    )  # fmt: skip


def exceptions_show(city: City, asked: ExceptionsShow, _progress: Progress) -> Answer:
    """Give one item with its channels, evidence and history."""
    found = questions(city).exception(asked.id, asked.known_at)
    document = msgspec.to_builtins(found)
    facts = {
        **msgspec.structs.asdict(found.item),
        "channel_names": found.channels,
        "amounts": [f"{name} {amount}" for name, amount in found.amounts.items()],
    }
    told = [{"name": name, "value": value} for name, value in facts.items()]
    told += [
        {"name": f"evidence {at}", "value": f"{one.channel} {one.rule} {one.verdict} {one.start.isoformat()} .. "
         f"{one.end.isoformat()} {one.figures}"}
        for at, one in enumerate(found.evidence, 1)
    ]  # fmt: skip
    told += [
        {"name": f"step {at}", "value": f"{one.at.isoformat()} {one.state}: {one.reason} {one.actor}".rstrip()}
        for at, one in enumerate(found.history, 1)
    ]
    return Answer(["name", "value"], rows_of(["name", "value"], told), document_of(document), notes=[APPROXIMATE])


def exceptions_close(city: City, asked: ExceptionsClose, _progress: Progress) -> Answer:
    """Close an item by hand, with an audit record."""
    return _told(close_item(city.engine, asked.id, by=asked.by, reason=asked.reason, now_us=city.now()))


def exceptions_reopen(city: City, asked: ExceptionsReopen, _progress: Progress) -> Answer:
    """Open a closed item again by hand, with an audit record."""
    return _told(reopen_item(city.engine, asked.id, by=asked.by, reason=asked.reason, now_us=city.now()))


def questions(city: City) -> Questions:
    """Ask with the rights of the operator at the machine itself."""
    return Questions(city.access(EVERYTHING), now=city.now)


def _told(item: Item) -> Answer:
    facts = {"id": item.id, "state": item.state, "by": item.actor, "reason": item.reason}
    return Answer(list(facts), rows_of(list(facts), [facts]), document_of(facts))


def _day(text: str) -> int:
    try:
        return day_number(date.fromisoformat(text))
    except ValueError as error:
        raise UsageError(f"{text!r} is no day.", code="bad_day", remedy="Write it like 2025-01-31.") from error
