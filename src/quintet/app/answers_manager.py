"""Operations of a building's manager: the walk, what was found, the list of a month, the shared bill."""

from typing import Any

import msgspec

from quintet.access import EVERYTHING
from quintet.views.answers_manager import BuildingAllocation, BuildingClose, BuildingVisits
from quintet.views.questions_manager import BuildingQuestions

from .answer import Answer, Progress, document_of
from .cells import rows_of
from .city import City
from .manager_behind import kept
from .requests_manager import BuildingMonth, BuildingShared, BuildingSigned, BuildingVisited, BuildingWalk

WALK = [
    "number", "state", "building", "floor", "flat", "channel", "commodity", "kind", "since", "days", "probably_empty",
    "usual_a_day", "unit", "uncertain_share", "won_a_day", "evidence", "lived_in", "checks", "visited",
]  # fmt: skip
WALK_NUMBERS = ["number", "floor", "days", "usual_a_day", "uncertain_share", "won_a_day"]
POINTS = ["point", "state", "of", "figure", "mend"]
FLATS = [
    "place", "reading", "use", "unit", "area_m2", "own_won", "weight", "exact_won", "rest_won", "common_won",
    "total_won", "occupied", "stretches",
]  # fmt: skip
FLAT_NUMBERS = ["use", "area_m2", "own_won", "weight", "exact_won", "rest_won", "common_won", "total_won"]


def _questions(city: City) -> BuildingQuestions:
    return BuildingQuestions(city.access(EVERYTHING), city.now)


def building_walk(city: City, asked: BuildingWalk, _progress: Progress) -> Answer:
    """Give the walk to a building's meters that do not measure."""
    return _walk(_questions(city).visits(asked.place))


def _walk(found: BuildingVisits) -> Answer:
    rows = [
        {
            **{name: getattr(one, name) for name in WALK if name in one.__struct_fields__},
            "since": one.since.isoformat(), "evidence": f"{one.evidence.en} ({one.evidence.sure})",
            "lived_in": one.lived_in.en, "checks": " ".join(check.code for check in one.checks),
            "visited": None if one.visited is None
            else f"{one.visited.at.date()} {one.visited.by}: {one.visited.found.code}",
        }
        for one in found.visits
    ]  # fmt: skip
    notes = [f"{one.place}: {one.name_en} needs no visit: {one.evidence.en}" for one in found.sound]
    notes += [f"Ticked off: {one.channel}." for one in found.done]
    if found.judged_week is None:
        notes.append("Nothing was judged yet, so nothing could be found: run `quintet vee run`.")
    title = f"{found.name_en}: {found.open} to visit, {found.waiting} waiting"
    return Answer(WALK, rows_of(WALK, rows), document_of(found), WALK_NUMBERS, title, notes)


def building_visited(city: City, asked: BuildingVisited, _progress: Progress) -> Answer:
    """Write down what somebody found at a meter, and give the walk as it is then."""
    questions = _questions(city)
    note = questions.visited(asked.place, asked.channel, asked.found, asked.note)
    number = kept(city, note, asked.actor)
    answer = _walk(questions.visits(asked.place))
    return msgspec.structs.replace(
        answer, notes=[f"Kept as event {number}: take it back with `quintet event withdraw {number}`.", *answer.notes]
    )


def building_month(city: City, asked: BuildingMonth, _progress: Progress) -> Answer:
    """Give the list that closes a building's month."""
    return _month(_questions(city).close(asked.place, asked.month))


def _month(found: BuildingClose) -> Answer:
    rows: list[dict[str, Any]] = []
    for one in found.points:
        open_ = one.state in ("attention", "blocked")
        rows.append({
            "point": one.code, "state": one.state, "of": None, "figure": one.figure_en,
            "mend": one.mend if open_ and one.mend else None,
        })  # fmt: skip
        rows += [
            {"point": one.code, "state": row.state, "of": row.of, "figure": row.en, "mend": None} for row in one.rows
        ]
    notes: list[str] = []
    if found.closed is not None:
        notes.append(f"Closed at {found.closed.at.isoformat()} by {found.closed.by}: {found.closed.reason}.")
    title = f"{found.name_en} {found.month}: {found.open} points open"
    return Answer(POINTS, rows_of(POINTS, rows), document_of(found), [], title, notes)


def building_signed(city: City, asked: BuildingSigned, _progress: Progress) -> Answer:
    """Close the list of a building's month, and give it as it is then; no bill is issued."""
    questions = _questions(city)
    month = asked.month or questions.last_month()
    kept(city, questions.closing(asked.place, month, asked.reason), asked.actor)
    return _month(questions.close(asked.place, month))


def building_shared(city: City, asked: BuildingShared, _progress: Progress) -> Answer:
    """Give a complex' bill shared over its flats, and how each amount came about."""
    found = _questions(city).allocation(asked.place, asked.month, asked.commodity, asked.common_won)
    rows = [
        {
            **{name: getattr(one, name) for name in FLATS},
            "stretches": "; ".join(f"{part.first} to {part.last}: {part.won}" for part in one.stretches) or None,
        }
        for one in found.flats
    ]
    whole = dict.fromkeys(FLATS)
    sums = {"own_won": found.own_won, "rest_won": found.rest_won, "common_won": found.common_won}
    rows.append({**whole, "place": "all", "use": found.whole_use, "unit": found.unit, **sums,
                 "total_won": found.sum_won})  # fmt: skip
    return Answer(FLATS, rows_of(FLATS, rows), document_of(found), FLAT_NUMBERS, _title(found), _notes(found))


def _title(found: BuildingAllocation) -> str:
    if found.total_won is None:
        return f"{found.name_en} {found.month}, {found.contract}: not shared yet"
    return f"{found.name_en} {found.month}, {found.contract}: {found.total_won:,} won over {len(found.flats)} flats"


def _notes(found: BuildingAllocation) -> list[str]:
    said = [one.en for one in found.why] if not found.whole else [found.method_en, *(one.en for one in found.rules)]
    return [*said, *(["PROVISIONAL: by the last rate card known."] if found.provisional else [])]
