"""Operations on a city's bills: shows, runs, issues, explains and shares them, and states by which contract."""

from datetime import date
from typing import Any

import msgspec

from quintet.access import EVERYTHING
from quintet.jobs.billing import Run, issue
from quintet.store.records import ALWAYS, Record
from quintet.tariffs import agreements
from quintet.tariffs.exact import exact_text
from quintet.tariffs.facts import COMMON_OF
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.period import day_start, to_us
from quintet.views.answers_bills import UtilityBill
from quintet.views.bill_rows import why_rows
from quintet.views.bills import agreements as stated_by
from quintet.views.bills import month_span, reckon_place, run_rows
from quintet.views.questions_bills import BillQuestions

from .answer import Answer, Progress, Step, document_of
from .asked_time import asked_moment
from .cells import rows_of, text_of
from .city import City
from .requests_bills import (
    BillAgree,
    BillAllocate,
    BillExplain,
    BillFollow,
    BillIssue,
    BillRun,
    BillShow,
    BillTerms,
)

SHOWN = ["commodity", "item", "name_en", "name_ko", "won", "note"]
RUN = [
    "place", "commodity", "start", "end", "use", "unit", "total_won", "status", "coverage", "estimated_share", "why",
]  # fmt: skip
RUN_NUMBERS = ["use", "total_won", "coverage", "estimated_share"]
FLATS = ["place", "use", "unit", "area_m2", "own_won", "common_won", "total_won"]
FOLLOWED = [
    "program", "name_en", "name_ko", "commodity", "start", "end", "baseline", "use", "saved", "unit", "saved_share",
    "won", "one_more_percent_won", "so_far", "reason",
]  # fmt: skip
SOURCE = "billing"
NO_PACE = {
    "month_unknown": "too little of the days so far is known to say at what pace it is used, or which tier comes when.",
    "too_early": "less than a day of it is known: too early for a pace, or for the day of a tier.",
}


def _questions(city: City) -> BillQuestions:
    return BillQuestions(city.access(EVERYTHING))


def bill_show(city: City, asked: BillShow, _progress: Progress) -> Answer:
    """Give a dwelling's bills of a month."""
    found = _questions(city).month(asked.place, asked.month, asked.known_at)
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for one in found.bills:
        rows += _bill_lines(one)
        notes += [f"{one.commodity}: {why.en} {why.remedy_en}" for why in one.why]
        notes += [f"{one.commodity}: {one.detail}"] if one.detail else []
        notes += [f"{one.commodity}: {NO_PACE[one.pace_reason]}"] if one.pace_reason else []
        notes += [
            f"{one.commodity}: {tier.name_en}: {tier.left} {one.unit} left before tier {tier.tier + 1},"
            f" {f'on {tier.next_day} at this pace' if tier.next_day else 'not in this bill at this pace'}."
            for tier in (one.pace.tiers if one.pace else ())
            if tier.left is not None
        ]
    lacking = f"without {', '.join(found.missing)}" if found.missing else None
    names = {"commodity": "all", "item": "total", "name_en": "total", "name_ko": "합계"}
    rows.append({**names, "won": found.total_won, "note": lacking})
    title = f"{found.place} {found.month}; known at {found.known_at.isoformat()}, rules {found.rule_set}"
    return Answer(SHOWN, rows_of(SHOWN, rows), document_of(found), ["won"], title, notes)


def _bill_lines(one: UtilityBill) -> list[dict[str, Any]]:
    """Give the rows of one utility's bill."""
    empty = {**dict.fromkeys(SHOWN), "commodity": one.commodity}
    rows: list[dict[str, Any]] = [
        {**empty, "item": item.item, "name_en": item.name_en, "name_ko": item.name_ko, "won": item.won,
         "note": f"lacks {item.lacks}" if item.lacks else None}
        for item in one.items
    ]  # fmt: skip
    rows += [
        {**empty, "item": "adjustment", "name_en": f"adjustment of {each.month}", "name_ko": f"{each.month} 정산",
         "won": each.won, "note": f"{each.was_use} -> {each.now_use} {each.unit}: {' '.join(each.why_en)}"}
        for each in one.adjustments
    ]  # fmt: skip
    use = "" if one.use is None else f", {text_of(one.use)} {one.unit}"
    days = f"{one.start} to {one.end}{use}"
    marks = [one.status, *(["PROVISIONAL"] if one.provisional else []), *(why.code for why in one.why)]
    rows.append({**empty, "item": "due", "name_en": one.name_en, "name_ko": one.name_ko, "won": one.due_won,
                 "note": f"{days}; {', '.join(marks)}"})  # fmt: skip
    return rows


def bill_run(city: City, asked: BillRun, progress: Progress) -> Answer:
    """Reckon the bills of every dwelling of a place; nothing is frozen."""
    tz = city.registry().tz
    first, end, _ = month_span(asked.month, tz)
    progress(Step("reckoning bills"))
    found = reckon_place(city.access(EVERYTHING), asked.place, first, end, asked_moment(asked.known_at, tz))
    rows = run_rows(found)
    reasons: dict[str, int] = {}
    for one in found.rows:
        for code in one.why:
            reasons[code] = reasons.get(code, 0) + 1
    known = [one.total for one in found.rows if one.total is not None]
    document = {
        "known_at": found.known_at.isoformat(), "rule_set": found.rule_set, "place": asked.place, "month": asked.month,
        "bills": len(rows), "with_amount": len(known), "issuable": sum(one.issuable for one in found.rows),
        "total_won": sum(known), "reasons": reasons, "rows": rows,
    }  # fmt: skip
    notes = _counted(reasons, "bills")
    title = f"{len(rows)} bills of {asked.month}, {sum(known):,} won in {len(known)} of them"
    return Answer(RUN, rows_of(RUN, rows), document_of(document), RUN_NUMBERS, title, notes)


def _counted(reasons: dict[str, int], what: str) -> list[str]:
    """Say how many bills each reason is of, and what to do."""
    words = {one.code: one for one in why_rows(list(reasons))}
    return [f"{count} {what}: {words[code].en} {words[code].remedy_en}" for code, count in reasons.items()]


def bill_issue(city: City, asked: BillIssue, progress: Progress) -> Answer:
    """Freeze what nothing stands against, with its evidence."""
    access, registry = city.access(EVERYTHING), city.registry()
    access.may_read(asked.place)
    progress(Step("issuing bills"))
    done = issue(
        city.engine, asked.place, sorted(registry.descendants(asked.place)), asked.month,
        lambda first, end: reckon_place(access, asked.place, first, end), actor=asked.actor.strip() or "operator",
        now_us=city.now(),
    )  # fmt: skip
    return _issued(done)


def _issued(done: Run) -> Answer:
    """Tell what a run issued."""
    reasons: dict[str, int] = {}
    for one in done.held:
        for code in one.why:
            reasons[code] = reasons.get(code, 0) + 1
    facts = {
        "month": done.month, "place": done.place, "batch": done.batch, "issued": done.issued, "due_won": done.due_won,
        "adjustments": done.adjustments, "adjusted_won": done.adjusted_won, "already": done.already,
        "held": len(done.held), "unsettled": len(done.unsettled), "digest": done.digest,
    }  # fmt: skip
    document = {**facts, "held_because": reasons, "held_bills": [
        {"place": one.metered.place, "commodity": one.metered.commodity, "why": list(one.why)} for one in done.held
    ]}  # fmt: skip
    notes = _counted(reasons, "held")
    if done.unsettled:
        notes.append(
            f"{len(done.unsettled)} corrections are of households that have no bill here now: settle them apart."
        )
    columns = list(facts)
    numbers = [name for name in columns if name not in ("month", "place", "digest")]
    return Answer(columns, rows_of(columns, [facts]), document_of(document), numbers, notes=notes)


def bill_explain(city: City, asked: BillExplain, _progress: Progress) -> Answer:
    """Explain the bills issued of a dwelling's month."""
    found = _questions(city).explain(asked.place, asked.month, asked.commodity, asked.known_at)
    told: list[dict[str, Any]] = []
    for one in found.bills:
        bill, proof = one.issued, one.evidence
        facts: dict[str, Any] = {
            "days": f"{bill.start} to {bill.end}", "issued": bill.issued_at, "use": f"{text_of(bill.use)} {bill.unit}",
            "total_won": bill.total_won, "due_won": bill.due_won, "sound": proof.sound, "digest": proof.digest,
            "channels": proof.channels, "sub_units": proof.sub_units, "expected_min": proof.expected_min,
            "arrived_min": proof.arrived_min, "estimated_min": proof.estimated_min, "rows": proof.rows,
            "known_at": proof.known_at, "rule_set": proof.rule_set,
            "now_won": None if one.now is None else one.now.total_won, "adjusted_won": one.adjusted_won,
            "adjusted_on": one.adjusted_on, "open_won": None if one.open is None else one.open.won,
            "open_why": None if one.open is None else " ".join(one.open.why_en), "words": one.words,
        }  # fmt: skip
        for each in bill.adjustments:
            facts[f"adjustment of {each.month}"] = (
                f"{each.won:+} won: {each.was_use} -> {each.now_use} {each.unit}; {' '.join(each.why_en)}"
            )
        told += [{"commodity": bill.commodity, "name": name, "value": value} for name, value in facts.items()]
    columns = ["commodity", "name", "value"]
    return Answer(columns, rows_of(columns, told), document_of(found))


def bill_agree(city: City, asked: BillAgree, progress: Progress) -> Answer:
    """State by which contract a utility of a place is billed from a day on."""
    registry = city.registry()
    registry.need_place(asked.place)
    registry.commodities[asked.commodity.removesuffix(COMMON_OF)]
    row: dict[str, Any] = {"place": asked.place, "commodity": asked.commodity, "source": asked.source, **asked.said}
    if asked.since is not None:
        row["valid_from"] = asked.since
    stated = agreements.terms_of(row, "agreement")
    agreements.checked([stated], registry.timelines, facts=True)
    since = ALWAYS if stated.day is None else to_us(day_start(stated.day, registry.tz))
    record = Record(stated.kind, stated.key, since, stated.body)
    city.pipeline.apply_records([record], kind="decision", source=SOURCE, actor=asked.actor.strip() or "operator")
    return bill_terms(city, BillTerms(asked.place, asked.since), progress)


def bill_terms(city: City, asked: BillTerms, _progress: Progress) -> Answer:
    """Say by which contracts a place is billed on a day, and who states it."""
    tz = city.registry().tz
    access = city.access(EVERYTHING).as_known(asked_moment(asked.known_at, tz))
    access.may_read(asked.place)
    registry = access.registry()
    try:
        moment = city.now() if asked.on is None else to_us(day_start(date.fromisoformat(asked.on), tz))
    except ValueError as error:
        raise UsageError(
            f"{asked.on!r} is no day.", code="bad_time", place="--on", remedy="Write 2025-10-01."
        ) from error
    stated = stated_by(registry)
    rows: list[dict[str, Any]] = []
    for commodity in sorted({key.partition(" ")[0] for key in registry.timelines(agreements.TERMS)}):
        found = stated.at(asked.place, commodity, moment)
        if found is not None:
            rows.append({
                "commodity": commodity, "contract": found.contract, "card_city": found.city, "branch": found.branch,
                "relief": found.relief, "share": found.share,
                "facts": " ".join(f"{key}={exact_text(value)}" for key, value in found.options.items()),
                "stated_at": [here for here in stated.places(asked.place)
                              if agreements.terms_key(here, commodity) in registry.timelines(agreements.TERMS)],
            })  # fmt: skip
    columns = ["commodity", "contract", "card_city", "branch", "relief", "share", "facts", "stated_at"]
    notes = [] if rows else ["Nothing is stated here: city.toml states contracts as [[billing]]."]
    return Answer(columns, rows_of(columns, rows), document_of({"place": asked.place, "rows": rows}), notes=notes)


def bill_allocate(city: City, asked: BillAllocate, _progress: Progress) -> Answer:
    """Share a complex' bill over its flats."""
    found = _questions(city).allocate(asked.place, asked.month, asked.commodity, asked.common_won, asked.known_at)
    rows = [msgspec.structs.asdict(one) for one in found.flats]
    rows.append({**dict.fromkeys(FLATS), "place": "all", "use": found.whole_use, "unit": found.unit,
                 "own_won": found.total_won - found.common_won, "common_won": found.common_won,
                 "total_won": found.total_won})  # fmt: skip
    numbers = [name for name in FLATS if name not in ("place", "unit")]
    title = f"{found.place} {found.month}, {found.contract}: {found.total_won:,} won over {len(found.flats)} flats"
    notes = [found.method_en, *(["PROVISIONAL: by the last rate card known."] if found.provisional else [])]
    return Answer(FLATS, rows_of(FLATS, rows), document_of(found), numbers, title, notes)


def bill_follow(city: City, asked: BillFollow, _progress: Progress) -> Answer:
    """Say what using less pays a dwelling."""
    found = _questions(city).incentives(asked.place, asked.month, asked.known_at)
    rows = [{**msgspec.structs.asdict(one), "start": str(one.start), "end": str(one.end)} for one in found.incentives]
    numbers = ["baseline", "use", "saved", "saved_share", "won", "one_more_percent_won"]
    notes = [f"{one.name_en}: {one.note}." for one in found.incentives if one.note]
    if not rows:
        raise BadInput("has no utility that an incentive covers.", code="not_covered", place=asked.place)
    return Answer(FOLLOWED, rows_of(FOLLOWED, rows), document_of(found), numbers, notes=notes)
