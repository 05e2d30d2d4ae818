"""Operations that answer with greenhouse gases: the inventory, the GPC's table, factor sets, publications."""

from decimal import Decimal
from typing import Any

import msgspec

from quintet.access import EVERYTHING
from quintet.ledger.city_rows import CURRENT, SET_NAME, SHIPPED, checked, find_set, set_statement, withdrawal
from quintet.ledger.city_rows import PUBLICATION as PUBLISHED
from quintet.ledger.factor_sets import FactorSet, overlaid, set_of
from quintet.ledger.fitting import refuse_unfit
from quintet.store.records import ALWAYS, Record
from quintet.terms.errors import UsageError
from quintet.terms.period import Resolution, from_us
from quintet.views.answers_ledger import ScopeSum
from quintet.views.decisions import published_figures
from quintet.views.gpc import place_gpc
from quintet.views.inventories import Question, answered, body_of, compare, place_inventory
from quintet.views.uncertain_books import uncertain_inventory

from .answer import Answer, Progress, document_of
from .asked_time import asked_moment, asked_span
from .cells import local, rows_of, text_of, with_bounds
from .city import City
from .ledger_settings import new_records
from .requests import (
    Emissions,
    EmissionsCompare,
    EmissionsGpc,
    EmissionsPublish,
    EmissionsPublished,
    FactorSetMake,
    FactorSets,
    FactorWithdraw,
)

EMISSION_COLUMNS = [
    "start", "place", "scope", "commodity", "amount", "unit", "kg_co2e", "factor", "published_on", "basis", "gwp",
    "notation", "reason", "derived", "coverage", "estimated_share", "source",
]  # fmt: skip
GPC_COLUMNS = ["sub_sector", "name_en", "name_ko", "scope", "report", "kg_co2e", "notation", "quality", "reason"]
CAUSE_COLUMNS = ["cause", "words_en", "scope_1", "scope_2", "scope_3", "total", "scope_2_market", "rows"]
SET_COLUMNS = ["name", "digest", "version", "since", "by", "why"]
PUBLISHED_COLUMNS = [
    "name",
    "place",
    "from",
    "to",
    "factor_set",
    "digest",
    "published",
    "known_at",
    "total_kg_co2e",
    "by",
    "why",
]
SUMS = CAUSE_COLUMNS[2:7]
EMISSIONS_SOURCE = "emissions"


def question_of(city: City, asked: Emissions | EmissionsGpc | EmissionsPublish) -> Question:
    """Read what was asked on the city's clock."""
    tz = city.registry().tz
    known_at = None if isinstance(asked, EmissionsPublish) else asked_moment(asked.known_at, tz)
    return Question(
        asked.place, asked_span(asked.start, asked.end, tz), Resolution(asked.resolution), asked.factor_set,
        asked.gwp, asked.count_at, known_at,
    )  # fmt: skip


def greenhouse_gases(city: City, asked: Emissions, _progress: Progress) -> Answer:
    """Give emissions by source and period, each with factor, date and source, or why there is no number."""
    access, question = city.access(EVERYTHING), question_of(city, asked)
    columns = EMISSION_COLUMNS
    if asked.nominal is None:
        found = place_inventory(access, question, city.registry().tz)
    else:
        found = uncertain_inventory(access, question, asked.nominal)
        columns = with_bounds(EMISSION_COLUMNS, "kg_co2e")
    rows = [msgspec.structs.asdict(one) for one in found.rows]
    notes = [_scope_note(one) for one in found.scopes]
    notes += [f"scope 2, market-based: {rule}" for rule in sorted({one.rest_by for one in found.market})]
    if found.beside is not None:
        sums = ", ".join(f"scope {one.scope} {text_of(one.kg_co2e)}" for one in found.beside.scopes)
        notes.append(f"published as {found.beside.name} by {found.beside.factor_set.digest}: {sums} kg CO2e")
    return Answer(
        columns,
        rows_of(columns, rows),
        document_of(found),
        numbers=["amount", "kg_co2e", "low", "high", "coverage", "estimated_share"],
        title=f"{asked.place} by {asked.resolution}, gases weighed by {found.gwp}, factors {found.factor_set.name}",
        notes=notes,
    )


def _sum(kg: Decimal | None) -> str:
    """Say a sum, or that nobody knows it."""
    return "not known" if kg is None else f"{text_of(kg)} kg CO2e"


def _scope_note(one: ScopeSum) -> str:
    """Say one scope's sum."""
    market = "" if one.market_kg_co2e is None else f"; market-based {text_of(one.market_kg_co2e)}"
    between = "" if not one.interval_to else f", from {text_of(one.low)} to {text_of(one.high)}"
    return (
        f"scope {one.scope}: {_sum(one.kg_co2e)}{between}{market}"
        f" ({one.missing} sources not known in full, {one.not_estimated} without a factor"
        f"{'' if one.coverage is None else f', coverage of the least heard {one.coverage}'})"
    )


def emissions_gpc(city: City, asked: EmissionsGpc, _progress: Progress) -> Answer:
    """Give the inventory as the table of the GPC."""
    found = place_gpc(city.access(EVERYTHING), question_of(city, asked), city.registry().tz)
    rows = [msgspec.structs.asdict(one) for one in found.cells]
    notes = [
        f"{name} {_sum(kg)} ({trust.missing} sources not known in full, {trust.not_estimated} without a"
        f" factor{'' if trust.coverage is None else f', coverage of the least heard {trust.coverage}'})"
        for name, kg, trust in (
            ("BASIC", found.basic_kg_co2e, found.basic),
            ("BASIC+", found.basic_plus_kg_co2e, found.basic_plus),
        )
    ]
    title = f"{asked.place}, {found.source}"
    return Answer(
        GPC_COLUMNS, rows_of(GPC_COLUMNS, rows), document_of(found), numbers=["scope", "kg_co2e"], title=title,
        notes=notes,
    )  # fmt: skip


def emissions_publish(city: City, asked: EmissionsPublish, _progress: Progress) -> Answer:
    """Publish a figure: it pins its factor set, what was known, and itself."""
    registry = city.registry()
    question = question_of(city, asked)
    if not asked.name.strip() or registry.timelines(PUBLISHED).get(asked.name):
        raise UsageError(
            f"something is published as {asked.name!r} already." if asked.name.strip() else "a publication has a name.",
            code="name_taken", place="--name", remedy="Give another --name.",
        )  # fmt: skip
    answer = answered(city.access(EVERYTHING), question, registry.tz)
    body = body_of(question, answer, asked.by, asked.reason)
    _decide(city, answer.chosen, Record(PUBLISHED, asked.name, city.now(), body), asked.by.strip())
    return emissions_published(city, EmissionsPublished(), _progress)


def _decide(city: City, chosen: FactorSet, record: Record, by: str) -> None:
    """Keep a set's content, then the decision that names it: that one is in the audit chain."""
    registry = city.registry()
    content = new_records([set_statement(chosen)], registry, registry.tz)
    city.pipeline.apply_records(content, kind="registry", source=EMISSIONS_SOURCE, actor=by)
    city.pipeline.apply_records([record], kind="decision", source=EMISSIONS_SOURCE, actor=by)


def emissions_published(city: City, _asked: EmissionsPublished, _progress: Progress) -> Answer:
    """List what was published."""
    found = published_figures(city.access(EVERYTHING), city.registry().tz)
    rows = [msgspec.to_builtins(one, builtin_types=(Decimal,)) for one in found.publications]
    return Answer(PUBLISHED_COLUMNS, rows_of(PUBLISHED_COLUMNS, rows), document_of(found), numbers=["total_kg_co2e"])


def emissions_compare(city: City, asked: EmissionsCompare, _progress: Progress) -> Answer:
    """Set a published figure beside the same one now, with the difference by cause."""
    found = compare(city.access(EVERYTHING), asked.name, city.registry().tz, asked.factor_set)
    told: list[dict[str, Any]] = [
        {"cause": "published", "words_en": f"by {found.factor_set.digest}", "rows": [], **found.published_kg_co2e},
        *(
            {"cause": one.cause, "words_en": one.words_en, "rows": one.rows, **one.kg_co2e}
            for one in found.causes
        ),
        {"cause": "revised", "words_en": f"by {found.revised_factor_set.digest}", "rows": [], **found.revised_kg_co2e},
    ]  # fmt: skip
    return Answer(
        CAUSE_COLUMNS, rows_of(CAUSE_COLUMNS, told), document_of(found), numbers=SUMS,
        title=f"{found.name}: kg CO2e as published, what each cause did, and as it is now",
    )  # fmt: skip


def factor_set_make(city: City, asked: FactorSetMake, progress: Progress) -> Answer:
    """Give a name to a set: the one in force with further rows on top; an older set of that name stays pinned."""
    if asked.name in (CURRENT, SHIPPED) or not asked.name.strip() or not (asked.by.strip() and asked.reason.strip()):
        raise UsageError(
            "a factor set needs a name of its own, a person and a reason.", code="no_reason",
            remedy=f"Give --name (not {CURRENT} or {SHIPPED}), --actor and --reason.",
        )  # fmt: skip
    registry = city.registry()
    base = find_set(registry.timelines, asked.base)
    chosen = set_of(asked.name, overlaid(base.content, asked.rows))
    refuse_unfit(chosen, registry.commodities)
    said = registry.timelines(SET_NAME).get(asked.name, ())
    body = {"digest": chosen.digest, "by": asked.by.strip(), "why": asked.reason.strip(), "version": len(said) + 1}
    since = max([city.now(), *(at + 1 for at, _ in said)])
    _decide(city, chosen, Record(SET_NAME, asked.name, since, body), asked.by.strip())
    return factor_sets(city, FactorSets(), progress)


def factor_withdraw(city: City, asked: FactorWithdraw, progress: Progress) -> Answer:
    """Take back a row that the city stated; what leans on it must be taken back first."""
    registry = city.registry()
    statement = withdrawal(asked.part, asked.name, asked.by, asked.reason, registry.timelines)
    checked([statement], registry.timelines)
    # where city.toml's own rows stand, so that a row may be stated anew; as known before it counts as it did
    record = Record(statement.kind, statement.key, ALWAYS, statement.body)
    city.pipeline.apply_records([record], kind="decision", source=EMISSIONS_SOURCE, actor=asked.by.strip())
    return factor_sets(city, FactorSets(), progress)


def factor_sets(city: City, _asked: FactorSets, _progress: Progress) -> Answer:
    """List the factor sets, the one in force first."""
    registry = city.registry()
    empty = dict.fromkeys(SET_COLUMNS)
    rows: list[dict[str, Any]] = [
        {**empty, "name": name, "digest": find_set(registry.timelines, name).digest} for name in (CURRENT, SHIPPED)
    ]
    rows += [
        {"name": name, "since": local(from_us(since), registry.tz), **body}
        for name, said in sorted(registry.timelines(SET_NAME).items())
        for since, body in said
        if body is not None
    ]
    return Answer(SET_COLUMNS, rows_of(SET_COLUMNS, rows), document_of({"sets": rows}), numbers=["version"])
