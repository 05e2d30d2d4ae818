"""The back-test of the estimators, the decision it leads to, and the order that is in force."""

from decimal import Decimal
from typing import Any

from quintet.jobs.backtesting import back_test
from quintet.pipeline.estimators import KIND, decision, order_of
from quintet.store.book import batch_known_at
from quintet.store.records import Record
from quintet.terms.errors import UsageError
from quintet.terms.period import from_us, parse_moment, to_us
from quintet.vee.backtest import SOUND_DAYS, SOUND_SHARE
from quintet.vee.choosing import Chosen, Score
from quintet.vee.order import Choice, Row

from .answer import Answer, Progress, Step, document_of
from .answers_changes import refresh
from .cells import rows_of
from .city import City
from .requests import Backtest, EstimationOrder

COLUMNS = [
    "commodity",
    "gap",
    "register",
    "estimator",
    "stretches",
    "error",
    "pooled",
    "bias",
    "p90",
    "filled",
    "place",
]
NUMBERS = ["stretches", "error", "pooled", "bias", "p90", "filled"]
ORDER_COLUMNS = ["commodity", "gap", "register", "estimators", "origin", "reason"]
PLACES = 4
"""Decimals of an error."""
TOO_YOUNG = (
    f"Nothing could be hidden: no channel has {SOUND_DAYS} days, of which {SOUND_SHARE:.0%} was measured, before a "
    "sound stretch. The order in force stays; `quintet vee order` prints it."
)
"""Why there is nothing to tell of a city."""


def backtest(city: City, asked: Backtest, progress: Progress) -> Answer:
    """Hide sound stretches, let every estimator fill them, and say (or decide) which order errs least."""
    if asked.decide and not (asked.by.strip() and asked.reason.strip()):
        raise UsageError(
            "a decision needs a name and a reason.", code="no_reason", remedy="Give --actor NAME and --reason TEXT."
        )
    if not 8 <= asked.stretches <= 10_000 or asked.seed < 0:
        raise UsageError("--stretches must be from 8 to 10000, --seed from 0.", code="bad_stretches")
    found = back_test(
        city.engine,
        city.registry(),
        city.pipeline.meaning(),
        seed=asked.seed,
        most=asked.stretches,
        progress=lambda name: progress(Step(f"back-testing {name}")),
    )
    notes = [note for one in found if (note := note_of(one))] or ([] if found else [TOO_YOUNG])
    if asked.decide:
        decided = decide(city, found, asked)
        refresh(city, progress)
        notes.append(f"{decided} choices decided by {asked.by.strip()}; `quintet vee order` prints them.")
    rows = [row_of(one, score, "alone") for one in found for score in one.scores]
    rows += [row_of(one, score, name) for one in found for name, score in compared(one)]
    orders = [order_row(one) for one in found]
    document = {"seed": asked.seed, "stretches": asked.stretches, "rows": rows, "orders": orders}
    title = "Errors on hidden sound stretches: of each estimator, then of what was chosen, what was before, and peers"
    return Answer(COLUMNS, rows_of(COLUMNS, rows), document_of(document), numbers=NUMBERS, title=title, notes=notes)


def decide(city: City, found: list[Chosen], asked: Backtest) -> int:
    """Store the chosen orders as dated statements; gives how many gap classes they are for."""
    order = city.pipeline.meaning().order
    today = from_us(city.now()).astimezone(city.engine.tz).date().isoformat()
    said = {"reason": asked.reason.strip(), "source": f"back-test by {asked.by.strip()}", "date": today}
    records: list[Record] = []
    for subject, code in sorted({(one.subject, one.code) for one in found if one.estimators}):
        mine = {one.total: one for one in found if (one.subject, one.code) == (subject, code)}
        now = order.choice(subject, code)
        without, with_total = merged(now.estimators, mine.get(False)), merged(now.scaled, mine.get(True))
        records.append(decision(subject, code, without, with_total, said))
    city.pipeline.apply_records(records, kind=KIND, source="back-test", actor=asked.by.strip())
    return len(records)


def merged(now: tuple[Row, ...], chosen: Chosen | None) -> list[str]:
    """Put chosen estimators in the place of those of the channel's own readings; those that need others stay."""
    if chosen is None or not chosen.estimators:
        return [row.name for row in now]
    first = next((place for place, row in enumerate(now) if row.reach == "own"), len(now))
    return [
        *(row.name for row in now[:first]),
        *chosen.estimators,
        *(row.name for row in now[first:] if row.reach != "own"),
    ]


def compared(one: Chosen) -> list[tuple[str, Score]]:
    """Give the scores on stretches that did not choose: of the chosen order, of the one before, of the peers."""
    named = [("chosen", one.error), ("before", one.before), *(("peer", peer) for peer in one.peers)]
    return [(name, score) for name, score in named if score is not None]


def row_of(one: Chosen, score: Score, place: str) -> dict[str, Any]:
    """Give one line of the table."""
    numbers = {name: rounded(getattr(score, name)) for name in ("error", "pooled", "bias", "p90", "filled")}
    said = {"commodity": one.subject, "gap": one.code, "hours": one.hours, "register": one.total}
    return {**said, "estimator": score.estimator, "stretches": score.stretches, **numbers, "place": place}


def rounded(number: float | None) -> Decimal | None:
    """Give an error with as many places as it deserves."""
    return None if number is None else Decimal(str(round(number, PLACES)))


def order_row(one: Chosen) -> dict[str, Any]:
    """Give what was chosen for a class, and what it is to beat."""
    errors = {score.estimator: rounded(score.error) for score in one.peers}
    return {
        "commodity": one.subject,
        "gap": one.code,
        "hours": one.hours,
        "register": one.total,
        "estimators": list(one.estimators),
        "stretches": one.stretches,
        "error": rounded(one.error.error) if one.error else None,
        "before": rounded(one.before.error) if one.before else None,
        **errors,
        "beats": one.beats,
    }


def note_of(one: Chosen) -> str | None:
    """Say where nothing was chosen, or what was chosen errs no less than a peer."""
    place = f"{one.subject}, gaps {one.code} {'with' if one.total else 'without'} a register's difference"
    if not one.estimators:
        return f"{place}: too little is sound to choose ({one.stretches} stretches in a half); the order stays."
    if one.beats is False:
        return f"{place}: what was chosen errs no less than a peer."
    return None


def estimation_order(city: City, asked: EstimationOrder, progress: Progress) -> Answer:
    """Give the order in force, or as known at a moment, with where each choice is from."""
    del progress
    registry = city.registry()
    if asked.known_at is not None:
        with city.engine.snapshot() as snapshot:
            batch = batch_known_at(snapshot, to_us(parse_moment(asked.known_at, registry.tz)))
        registry = city.registry(batch)
    order = order_of(registry)
    commodities = sorted({name for name, _ in order.choices})
    rows = [
        choice_row(name, one.code, order.choices[name, one.code], scaled=scaled)
        for name in commodities
        for one in order.classes
        if (name, one.code) in order.choices
        for scaled in (False, True)
    ]
    estimators = {
        name: {"reach": row.reach, "text_en": row.text_en, "text_ko": row.text_ko} for name, row in order.rows.items()
    }
    document = {"source": order.source, "date": str(order.stated), "orders": rows, "estimators": estimators}
    return Answer(
        ORDER_COLUMNS, rows_of(ORDER_COLUMNS, rows), document_of(document), title="Order of estimators in force"
    )


def choice_row(commodity: str, code: str, choice: Choice, *, scaled: bool) -> dict[str, Any]:
    """Give one line of the order in force."""
    return {
        "commodity": commodity or "every",
        "gap": code,
        "register": scaled,
        "estimators": [row.name for row in (choice.scaled if scaled else choice.estimators)],
        "origin": choice.origin,
        "reason": choice.reason,
    }
