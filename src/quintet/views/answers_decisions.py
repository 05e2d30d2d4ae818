"""The plain answers about what a city decided of its books: publications, factor sets, definitions, measures."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from .answers import Answer


class PublishedFigure(Answer, frozen=True):
    """A figure that was published: of which place and span, by which factor set, as known when; its total as it was."""

    name: str
    place: str
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    resolution: str
    factor_set: str
    digest: str
    published: datetime
    known_at: datetime
    total_kg_co2e: Decimal
    by: str
    why: str


class PublishedFigures(Answer, frozen=True):
    """What was published, the earliest first."""

    publications: list[PublishedFigure]


class FactorSetEntry(Answer, frozen=True):
    """A factor set by name: its digest; where somebody named it, which of that name it is, since when, by whom, why."""

    name: str
    digest: str
    version: int | None
    since: datetime | None
    by: str | None
    why: str | None


class FactorSetList(Answer, frozen=True):
    """The factor sets, the one in force first."""

    sets: list[FactorSetEntry]


class BoundDefinition(Answer, frozen=True):
    """A definition to which the city is or was bound; `since` is null where it always was."""

    definition: str
    since: datetime | None
    by: str
    why: str


class BoundDefinitions(Answer, frozen=True):
    """The definitions to which the city is or was bound, the earliest first; the last that began counts."""

    bound: list[BoundDefinition]


class StatedMeasure(Answer, frozen=True):
    """A measure: what it is stated to save in a year, from a day on."""

    name: str
    place: str
    commodity: str
    since: date
    saves: Decimal
    unit: str
    what_en: str
    what_ko: str
    by: str
    why: str


class StatedMeasures(Answer, frozen=True):
    """The measures that are stated, in order of their start."""

    measures: list[StatedMeasure]
