"""What a city decided of its books, listed: publications, factor sets, bound definitions, measures."""

from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.ledger.city_rows import CURRENT, SET_NAME, SHIPPED, bound_definitions, find_set
from quintet.ledger.dated import said
from quintet.ledger.targets import measures
from quintet.terms.period import from_us

from .answers_decisions import (
    BoundDefinition,
    BoundDefinitions,
    FactorSetEntry,
    FactorSetList,
    PublishedFigure,
    PublishedFigures,
    StatedMeasure,
    StatedMeasures,
)
from .inventories import publications
from .self_sufficiencies import ALWAYS_US


def published_figures(access: Access, tz: ZoneInfo) -> PublishedFigures:
    """List what was published of places that the reader may see."""
    return PublishedFigures(
        [
            PublishedFigure(
                one.name, one.asked.place, one.asked.span.start.astimezone(tz), one.asked.span.end.astimezone(tz),
                one.asked.resolution.value, one.set_name, one.digest, one.published.astimezone(tz),
                one.known_at.astimezone(tz), said(one.figures["total"]), one.by, one.why,
            )
            for one in publications(access)
            if access.sees(one.asked.place)
        ]
    )  # fmt: skip


def factor_set_list(access: Access, tz: ZoneInfo) -> FactorSetList:
    """List the factor sets: what is in force, what ships, and those that somebody named."""
    timelines = access.registry().timelines
    out = [
        FactorSetEntry(name, find_set(timelines, name).digest, None, None, None, None) for name in (CURRENT, SHIPPED)
    ]
    for name, timeline in sorted(timelines(SET_NAME).items()):
        out += [
            FactorSetEntry(
                name, body["digest"], body["version"], from_us(since).astimezone(tz), body["by"], body["why"]
            )
            for since, body in timeline
            if body is not None
        ]
    return FactorSetList(out)


def bound_list(access: Access, tz: ZoneInfo) -> BoundDefinitions:
    """List the definitions to which the city is or was bound."""
    return BoundDefinitions(
        [
            BoundDefinition(
                one.definition, None if one.since_us < ALWAYS_US else from_us(one.since_us).astimezone(tz), one.by,
                one.why,
            )
            for one in bound_definitions(access.registry().timelines)
        ]
    )  # fmt: skip


def stated_measures(access: Access) -> StatedMeasures:
    """List the measures that are stated for places that the reader may see."""
    registry = access.registry()
    out: list[StatedMeasure] = []
    for one in measures(registry.timelines):
        if access.sees(one.place):
            unit = registry.commodities[one.commodity].display_unit(one.quantity)
            saves = said(one.saves / unit.ratio)
            out.append(
                StatedMeasure(
                    one.id, one.place, one.commodity, one.start, saves, unit.code, one.what_en, one.what_ko, one.by,
                    one.why,
                )
            )  # fmt: skip
    return StatedMeasures(out)
