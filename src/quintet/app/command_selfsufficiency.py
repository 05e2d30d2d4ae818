"""`quintet selfsufficiency ...` over a city: every definition, why they differ, and which one the city is bound to."""

from typing import Annotated, Literal

from cyclopts import Parameter

from .command_city import actor
from .options import LANGUAGE, Common, From, KnownAt, Nominal, Place, Step, To, Uncertainty, ask, nominal_of
from .requests import DefinitionPin, SelfSufficiency, SelfSufficiencyExplain

WHOLE = "city"
"""The root place: the whole city."""


def selfsufficiency(
    *,
    start: From,
    end: To,
    resolution: Step = "hour",
    place: Place = WHOLE,
    known_at: KnownAt = None,
    uncertainty: Uncertainty = False,
    nominal: Nominal = 0.9,
    common: Common | None = None,
) -> int:
    """Print how much of its energy a place makes itself; supply and use are matched step by step."""
    return ask(common, SelfSufficiency(start, end, resolution, place, known_at, nominal_of(uncertainty, nominal)))


def selfsufficiency_explain(
    *,
    start: From,
    end: To,
    resolution: Step = "hour",
    place: Place = WHOLE,
    lang: Annotated[Literal["en", "ko"], Parameter(name=LANGUAGE, help="Language of the words.")] = "en",
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Say why the definitions differ: one changed assumption a step, in figures that add up exactly."""
    return ask(common, SelfSufficiencyExplain(start, end, resolution, place, lang, known_at))


def selfsufficiency_pin(
    definition: Annotated[str | None, Parameter(help="The definition; without one, list what is pinned.")] = None,
    /,
    *,
    since: Annotated[str | None, Parameter(help="The first day on which it counts; default: always.")] = None,
    by: Annotated[str | None, Parameter(name="--actor", help="Who says so; default: the account that asks.")] = None,
    reason: Annotated[str, Parameter(help="Why: the law or ordinance.")] = "",
    common: Common | None = None,
) -> int:
    """Bind the city to one definition. A dated decision: answers name it from then on."""
    return ask(common, DefinitionPin(definition, since, by or actor(), reason))
