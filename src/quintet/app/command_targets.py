"""`quintet targets ...`: targets and measures that a city states, the way to them, and why figures change."""

from typing import Annotated, Literal

from cyclopts import Parameter

from .command_city import actor
from .command_compute import below
from .options import LANGUAGE, Common, From, KnownAt, Place, To, ask
from .requests import MeasureState, TargetsChange, TargetSet, TargetsWeather, TargetsYear, TargetWithdraw

WHOLE = "city"
Metric = Annotated[
    Literal["emissions", "self_sufficiency"], Parameter(help="What is aimed at: emissions or self_sufficiency.")
]
Of = Annotated[
    str, Parameter(help="Of emissions: total, scope_1, scope_2, scope_3, scope_2_market; else a definition's name.")
]
BaseFrom = Annotated[str, Parameter(name="--base-from", help="First day of the earlier period, written like --from.")]
BaseTo = Annotated[str, Parameter(name="--base-to", help="First day after the earlier period.")]
Year = Annotated[int, Parameter(help="The year that the target is for.")]
By = Annotated[str | None, Parameter(name="--actor", help="Who says so; default: the account that asks.")]
Reason = Annotated[str, Parameter(help="Why: the plan or ordinance.")]


def targets(
    *,
    year: Annotated[int | None, Parameter(help="The year; default: this one.")] = None,
    place: Place = WHOLE,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Print a year's targets: what is known so far, what is left, the pace and the pace needed. Nothing is forecast."""
    return ask(common, TargetsYear(place, year, known_at))


def targets_set(
    metric: Metric,
    of: Of,
    value: Annotated[str, Parameter(help='Such as "120000 tCO2e", or "35 %".')],
    /,
    *,
    year: Year,
    place: Place = WHOLE,
    by: By = None,
    reason: Reason = "",
    common: Common | None = None,
) -> int:
    """State a target. It replaces an earlier one of that year, place and name; both stay known."""
    return ask(common, TargetSet(place, year, metric, of, value, by or actor(), reason))


def targets_withdraw(
    metric: Metric,
    of: Of,
    /,
    *,
    year: Year,
    place: Place = WHOLE,
    by: By = None,
    reason: Reason = "",
    common: Common | None = None,
) -> int:
    """Withdraw a target from now on. It stays known that it was there."""
    return ask(common, TargetWithdraw(place, year, metric, of, by or actor(), reason))


def targets_measure(
    name: Annotated[str, Parameter(help="A name for the measure.")],
    /,
    *,
    commodity: Annotated[str, Parameter(help="Of what it saves: electricity, gas, heat ...")],
    since: Annotated[str, Parameter(help="The first day on which it saves.")],
    saves: Annotated[str, Parameter(help='What it is stated to save in a year, as "120 MWh".')],
    what: Annotated[str, Parameter(help="What was done.")],
    place: Place = WHOLE,
    by: By = None,
    reason: Reason = "",
    common: Common | None = None,
) -> int:
    """State a measure, with its date and place. What it is stated to save is told apart from what meters prove."""
    return ask(common, MeasureState(name, place, commodity, since, saves, what, by or actor(), reason))


def targets_weather(
    *,
    start: From,
    end: To,
    base_from: BaseFrom,
    base_to: BaseTo,
    place: Place = WHOLE,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Print each carrier's change of use with the weather of an earlier period. By degree days."""
    return ask(common, TargetsWeather(start, end, base_from, base_to, place, known_at))


def targets_change(
    *,
    start: From,
    end: To,
    base_from: BaseFrom,
    base_to: BaseTo,
    metric: Metric = "emissions",
    of: Of = "total",
    activity: Annotated[
        Literal["premises", "floor_area", "occupied"], Parameter(help="By what activity is counted.")
    ] = "premises",
    then: Annotated[
        str | None, Parameter(help="When the earlier figure was known; what was revised since is a part.")
    ] = None,
    place: Place = WHOLE,
    lang: Annotated[Literal["en", "ko"], Parameter(name=LANGUAGE, help="Language of the words.")] = "en",
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Take a change apart: weather, activity, supply, measures, revisions, what is not heard, what nobody explains."""
    asked = TargetsChange(start, end, base_from, base_to, metric, of, activity, then, place, lang, known_at)
    return ask(common, asked)


TARGETS = below(
    "targets", targets, set=targets_set, withdraw=targets_withdraw, measure=targets_measure, weather=targets_weather,
    change=targets_change,
)  # fmt: skip
