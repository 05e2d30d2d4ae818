"""`quintet emissions ...` over a city: the inventory, the GPC's table, factor sets, and what was published."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from quintet.terms.catalogue import read_toml_file

from .command_city import actor
from .ledger_settings import factor_rows
from .options import Common, From, KnownAt, Nominal, Place, Step, To, Uncertainty, ask, nominal_of
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

WHOLE = "city"
"""The root place: the whole city."""
Gwp = Annotated[
    str | None,
    Parameter(
        help="Warming potentials: SAR, AR4, AR5, AR6_fossil, AR6_nonfossil, AR6_unspecified; default: the set's own."
    ),
]
FactorSet = Annotated[
    str, Parameter(help="A factor set: current, shipped, a name of `quintet emissions sets`, or a digest.")
]
CountAt = Annotated[
    Literal["plant", "users"] | None,
    Parameter(help="Where energy made inside is counted: at the plant or at its users; default: the set's own."),
]
By = Annotated[str | None, Parameter(name="--actor", help="Who does it; default: the account that asks.")]
Reason = Annotated[str, Parameter(help="Why.")]


def emissions(
    *,
    start: From,
    end: To,
    resolution: Step = "month",
    place: Place = WHOLE,
    gwp: Gwp = None,
    factor_set: FactorSet = "current",
    count_at: CountAt = None,
    known_at: KnownAt = None,
    uncertainty: Uncertainty = False,
    nominal: Nominal = 0.9,
    common: Common | None = None,
) -> int:
    """Print greenhouse gases, each with its factor and source; what was published of the same span stands beside."""
    level = nominal_of(uncertainty, nominal)
    return ask(common, Emissions(start, end, resolution, place, gwp, known_at, factor_set, count_at, level))


def emissions_gpc(
    *,
    start: From,
    end: To,
    resolution: Step = "month",
    place: Place = WHOLE,
    gwp: Gwp = None,
    factor_set: FactorSet = "current",
    count_at: CountAt = None,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Print the inventory as the table of the GPC. Notation keys and data quality stand beside."""
    return ask(common, EmissionsGpc(start, end, resolution, place, gwp, known_at, factor_set, count_at))


def emissions_publish(
    *,
    name: Annotated[str, Parameter(help="The name under which the figure is published.")],
    start: From,
    end: To,
    resolution: Step = "month",
    place: Place = WHOLE,
    gwp: Gwp = None,
    factor_set: FactorSet = "current",
    count_at: CountAt = None,
    by: By = None,
    reason: Reason = "",
    common: Common | None = None,
) -> int:
    """Publish a figure: it pins its factor set and what is known now, and stays whatever is revised."""
    who = by or actor()
    asked = EmissionsPublish(name, start, end, resolution, place, who, reason, gwp, factor_set, count_at)
    return ask(common, asked)


def emissions_published(*, common: Common | None = None) -> int:
    """List what was published."""
    return ask(common, EmissionsPublished())


def emissions_compare(
    name: Annotated[str, Parameter(help="What was published.")],
    /,
    *,
    factor_set: FactorSet = "current",
    common: Common | None = None,
) -> int:
    """Set a published figure beside the same one now. The difference by cause adds up exactly."""
    return ask(common, EmissionsCompare(name, factor_set))


def emissions_sets(*, common: Common | None = None) -> int:
    """List the factor sets."""
    return ask(common, FactorSets())


def emissions_set(
    *,
    name: Annotated[str, Parameter(help="The name of the set; an older set of that name stays where it is pinned.")],
    rows: Annotated[
        Path | None,
        Parameter(name="--file", help="TOML of rows on top, as in city.toml: [factor.X], [[supply]] ..., and [gwp.X]."),
    ] = None,
    base: Annotated[str, Parameter(help="The set below: current, shipped, a name, or a digest.")] = "current",
    by: By = None,
    reason: Reason = "",
    common: Common | None = None,
) -> int:
    """Make a named factor set. A row without date or source is refused."""
    table = {} if rows is None else factor_rows(read_toml_file(rows), rows)
    return ask(common, FactorSetMake(name, by or actor(), reason, base, table))


def emissions_withdraw(
    part: Annotated[str, Parameter(help="What it is: factor, source, calorific, supply, contract, hourly, sector ...")],
    name: Annotated[str, Parameter(help="Its name; of a supply COMMODITY/DAY.")],
    /,
    *,
    by: By = None,
    reason: Reason = "",
    common: Common | None = None,
) -> int:
    """Withdraw a row that the city stated. First delete it from city.toml: what stands there is stated again."""
    return ask(common, FactorWithdraw(part, name, by or actor(), reason))
