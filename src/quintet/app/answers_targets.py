"""Operations on targets: states and withdraws them, tells the way to them, and takes changes apart."""

from dataclasses import replace
from typing import Any

import msgspec

from quintet.access import EVERYTHING
from quintet.ledger.city_rows import Statement
from quintet.ledger.targets import measure_statement, target_key, target_statement, targets, withdrawal
from quintet.store.records import FOREVER, Record
from quintet.terms.errors import NotFound
from quintet.views.answers_targets import ChangeApart
from quintet.views.asked import FIRST_YEAR, LAST_YEAR, within
from quintet.views.change_parts import Comparison
from quintet.views.targets import trajectory
from quintet.views.targets_change import change_apart
from quintet.views.targets_weather import weather_change

from .answer import Answer, Progress, document_of
from .asked_time import asked_moment, asked_span
from .cells import rows_of, text_of
from .city import City
from .requests import MeasureState, TargetsChange, TargetSet, TargetsWeather, TargetsYear, TargetWithdraw

WAY_COLUMNS = [
    "metric", "of", "target", "unit", "so_far", "left", "left_share", "pace", "pace_needed", "verdict", "coverage",
    "estimated_share", "rows_missing", "reason",
]  # fmt: skip
WEATHER_COLUMNS = [
    "commodity", "unit", "base_use", "use", "weather", "normalised_use", "normalised_change", "r2", "days",
    "open_days", "reason",
]  # fmt: skip
PART_COLUMNS = ["part", "amount", "words", "evidence"]
SOURCE = "targets"


def targets_year(city: City, asked: TargetsYear, _progress: Progress) -> Answer:
    """Give a year's targets of a place and the way to each."""
    tz = city.registry().tz
    year = None if asked.year is None else within(asked.year, FIRST_YEAR, LAST_YEAR, "year")
    found = trajectory(city.access(EVERYTHING), asked.place, year, asked_moment(asked.known_at, tz), tz)
    rows = [msgspec.structs.asdict(one) for one in found.targets]
    notes = [f"{one.metric} {one.of}: {one.words_en}" for one in found.targets]
    return Answer(
        WAY_COLUMNS,
        rows_of(WAY_COLUMNS, rows),
        document_of(found),
        numbers=["target", *WAY_COLUMNS[4:9], *WAY_COLUMNS[10:13]],
        title=(
            f"{found.place} {found.year}: {found.days_gone} of {found.days} days, until {found.until.date()},"
            f" factors {found.factor_set.name}"
        ),
        notes=[*(notes or ["No target is stated for that year and place."]), found.pace_rule_en],
    )


def target_set(city: City, asked: TargetSet, progress: Progress) -> Answer:
    """State a target; the later record of one year, place and name counts."""
    city.registry().need_place(asked.place)
    row = {
        "place": asked.place, "year": asked.year, "metric": asked.metric, "of": asked.of, "value": asked.value,
        "by": asked.by, "why": asked.why,
    }  # fmt: skip
    _decide(city, target_statement(row), asked.by)
    return targets_year(city, TargetsYear(asked.place, asked.year), progress)


def target_withdraw(city: City, asked: TargetWithdraw, progress: Progress) -> Answer:
    """Withdraw a target; raises NotFound where none is in force."""
    key = target_key(asked.place, asked.year, asked.metric, asked.of)
    held = targets(city.registry().timelines, FOREVER)
    one = next((each for each in held if target_key(each.place, each.year, each.metric, each.of) == key), None)
    if one is None:
        raise NotFound(f"no target {key} is in force.", code="no_target", remedy="See `quintet targets --year YEAR`.")
    _decide(city, withdrawal(one, asked.by, asked.why), asked.by)
    return targets_year(city, TargetsYear(asked.place, asked.year), progress)


def measure_state(city: City, asked: MeasureState, _progress: Progress) -> Answer:
    """State a measure."""
    registry = city.registry()
    registry.need_place(asked.place)
    row = {
        "id": asked.name, "place": asked.place, "commodity": asked.commodity, "from": asked.since,
        "saves": asked.saves, "what_en": asked.what, "by": asked.by, "why": asked.why,
    }  # fmt: skip
    statement = measure_statement(row, registry.commodities)
    _decide(city, statement, asked.by)
    told: dict[str, Any] = {"id": asked.name, **statement.body, "saves": asked.saves}
    return Answer(list(told), rows_of(list(told), [told]), document_of(told))


def _decide(city: City, statement: Statement, by: str) -> None:
    """Keep a decision as a dated record in the audit chain, a moment after any of the same name."""
    statement = replace(statement, day=None)
    said = city.registry().timelines(statement.kind).get(statement.key, ())
    since = max([city.now(), *(at + 1 for at, _ in said)])
    record = Record(statement.kind, statement.key, since, statement.body)
    city.pipeline.apply_records([record], kind="decision", source=SOURCE, actor=by.strip())


def targets_weather(city: City, asked: TargetsWeather, _progress: Progress) -> Answer:
    """Give each carrier's use in two periods, and its change with the weather of the first."""
    tz = city.registry().tz
    found = weather_change(
        city.access(EVERYTHING), asked.place, asked_span(asked.base_from, asked.base_to, tz),
        asked_span(asked.start, asked.end, tz), asked_moment(asked.known_at, tz), tz,
    )  # fmt: skip
    rows: list[dict[str, Any]] = [
        {**msgspec.structs.asdict(one), "r2": one.model and one.model.r2, "days": one.model and one.model.days}
        for one in found.carriers
    ]
    notes = [
        f"{word}: {one.heating_degree_days:.1f} heating, {one.cooling_degree_days:.1f} cooling degree days"
        f" ({one.known_days} of {one.days} days known)"
        for word, one in (("before", found.base_degrees), ("after", found.degrees))
        if one is not None
    ]
    notes += [f"no degree days: {found.reason}"] if found.reason else []
    return Answer(
        WEATHER_COLUMNS,
        rows_of(WEATHER_COLUMNS, rows),
        document_of(found),
        numbers=WEATHER_COLUMNS[2:10],
        title=f"{found.place}: use with the earlier weather, heating below {found.heating_base_c:g}"
        f" and cooling above {found.cooling_base_c:g} degC",
        notes=notes,
    )


KNOWN_WORDS = {
    "en": ("before", "after", "{} arrived", "nothing is owed", "{} rows missing", "{} without a factor"),
    "ko": ("이전", "이후", "{} 수신", "받을 값 없음", "{}개 행 누락", "{}개 행 배출계수 없음"),
}
"""Words of a note, by language: of either period, how much of it arrived, and what lacks."""


def _known_words(found: ChangeApart, lang: str) -> str:
    """Say beside a change how far both of its figures are known: what is missing counts in them as nothing."""
    before, after, arrived, nothing, missing, unfactored = KNOWN_WORDS[lang]
    out: list[str] = []
    for word, one in ((before, found.before_known), (after, found.after_known)):
        told = [nothing if one.coverage is None else arrived.format(f"{one.coverage:.1%}")]
        told += [missing.format(one.rows_missing)] if one.rows_missing else []
        told += [unfactored.format(one.rows_not_estimated)] if one.rows_not_estimated else []
        out.append(f"{word}: {', '.join(told)}")
    return "; ".join(out)


def targets_change(city: City, asked: TargetsChange, _progress: Progress) -> Answer:
    """Take a change apart."""
    tz = city.registry().tz
    question = Comparison(
        asked.place, asked_span(asked.base_from, asked.base_to, tz), asked_span(asked.start, asked.end, tz),
        asked.metric, asked.of, asked.activity, asked_moment(asked.then, tz), asked_moment(asked.known_at, tz),
    )  # fmt: skip
    found = change_apart(city.access(EVERYTHING), question, tz)
    rows: list[dict[str, Any]] = [
        {
            "part": one.part, "amount": one.amount, "words": getattr(one, f"words_{asked.lang}"),
            "evidence": "; ".join(one.evidence),
        }
        for one in found.parts
    ]  # fmt: skip
    sums = f"{text_of(found.before)} before, {text_of(found.after)} after, change {text_of(found.change)} {found.unit}"
    return Answer(
        PART_COLUMNS, rows_of(PART_COLUMNS, rows), document_of(found), numbers=["amount"],
        title=f"{found.place}, {found.metric} {found.of}: {sums}",
        notes=[
            _known_words(found, asked.lang),
            "Parts add up to the change exactly; each is the mean over all orders of causes (Shapley).",
        ],
    )  # fmt: skip
