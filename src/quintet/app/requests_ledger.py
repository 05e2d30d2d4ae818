"""Requests for energy, its books and what follows from them."""

from typing import Any

import msgspec

from .request import Request


class Intervals(Request, frozen=True, tag="intervals"):
    """One channel's series."""

    channel: str
    start: str
    end: str
    resolution: str
    known_at: str | None = None


class Balance(Request, frozen=True, tag="balance"):
    """Supply against use; `tree`: of every place below too, or of those of a `level`."""

    start: str
    end: str
    resolution: str
    place: str
    known_at: str | None = None
    tree: bool = False
    level: str | None = None
    nominal: float | None = None
    """Level of the intervals that are asked for with it."""
    limit: int | None = None
    """Rows of one page of a tree; None: all of it."""
    cursor: str | None = None


class Losses(Request, frozen=True, tag="losses"):
    """What networks lost: the head's meter less the sum of what hangs below."""

    start: str
    end: str
    resolution: str
    place: str | None = None
    network: str | None = None
    known_at: str | None = None


class Facilities(Request, frozen=True, tag="facilities"):
    """What facilities with a service did."""

    start: str
    end: str
    resolution: str
    place: str
    known_at: str | None = None


class Conversions(Request, frozen=True, tag="conversions"):
    """What plants took in and gave out."""

    start: str
    end: str
    resolution: str
    place: str
    known_at: str | None = None


class SelfSufficiency(Request, frozen=True, tag="selfsufficiency"):
    """How much of its energy the place makes itself, by each definition."""

    start: str
    end: str
    resolution: str
    place: str
    known_at: str | None = None
    nominal: float | None = None


class Emissions(Request, frozen=True, tag="emissions"):
    """Greenhouse gases."""

    start: str
    end: str
    resolution: str
    place: str
    gwp: str | None = None
    known_at: str | None = None
    factor_set: str = "current"
    count_at: str | None = None
    nominal: float | None = None


class SelfSufficiencyExplain(Request, frozen=True, tag="selfsufficiency_explain"):
    """Why the definitions differ, step by step."""

    start: str
    end: str
    resolution: str
    place: str
    lang: str = "en"
    known_at: str | None = None


class DefinitionPin(Request, frozen=True, tag="definition_pin"):
    """The city is bound to a definition from a day on; without one: to which it is."""

    definition: str | None = None
    since: str | None = None
    by: str = ""
    why: str = ""


class EmissionsGpc(Request, frozen=True, tag="emissions_gpc"):
    """Greenhouse gases as the table of the GPC."""

    start: str
    end: str
    resolution: str
    place: str
    gwp: str | None = None
    known_at: str | None = None
    factor_set: str = "current"
    count_at: str | None = None


class EmissionsPublish(Request, frozen=True, tag="emissions_publish"):
    """A figure is published under a name: it pins its factor set and what was known."""

    name: str
    start: str
    end: str
    resolution: str
    place: str
    by: str
    reason: str
    gwp: str | None = None
    factor_set: str = "current"
    count_at: str | None = None


class EmissionsPublished(Request, frozen=True, tag="emissions_published"):
    """What was published."""


class EmissionsCompare(Request, frozen=True, tag="emissions_compare"):
    """A published figure beside the same one now, with the difference by cause."""

    name: str
    factor_set: str = "current"


class FactorSetMake(Request, frozen=True, tag="factor_set_make"):
    """A named factor set: one that is there (`base`) with further rows, part by part."""

    name: str
    by: str
    reason: str
    base: str = "current"
    rows: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict[str, dict[str, Any]])


class FactorWithdraw(Request, frozen=True, tag="factor_withdraw"):
    """A row that the city stated of its emissions (`part`, `name`) no longer counts."""

    part: str
    name: str
    by: str
    reason: str


class FactorSets(Request, frozen=True, tag="factor_sets"):
    """The factor sets."""


class Uncertainty(Request, frozen=True, tag="uncertainty"):
    """How certain a place's totals are."""

    start: str
    end: str
    place: str
    level: float
    known_at: str | None = None


class UncertaintyTrials(Request, frozen=True, tag="uncertainty_trials"):
    """Whether the intervals hold what they promise: known meters are hidden."""

    start: str
    end: str
    place: str
    level: float
    shares: list[float]
    times: int
    seed: int


class ReportFigures(Request, frozen=True, tag="report_figures"):
    """A report's figures with what they rest on."""

    start: str
    end: str
    place: str
    level: float
    known_at: str | None = None


class OpenData(Request, frozen=True, tag="open_data"):
    """Open data in a form, of months that are released, or now are; `preview`: as known now, nothing is released."""

    start: str
    end: str
    resolution: str
    place: str
    form: str
    by: str
    reason: str
    preview: bool = False
    simple: bool = False


class OpenRelease(Request, frozen=True, tag="open_release"):
    """Months are told to everybody: as known now, and so for ever."""

    start: str
    end: str
    by: str
    reason: str
    via: str = ""


class OpenReleases(Request, frozen=True, tag="open_releases"):
    """The months that were told."""
