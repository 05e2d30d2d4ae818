"""Every condition by its kind; looking at a dwelling is asking each of them."""

from collections.abc import Callable, Mapping

from .ahead import budget, tier
from .base_load import base_load
from .dead_meter import dead_meter
from .found import Outcome
from .no_water import no_water
from .seen import HomeSeen
from .unresting import gas_unresting, water_leak

Condition = Callable[[HomeSeen], list[Outcome]]
CONDITIONS: Mapping[str, Condition] = {
    "water_leak": water_leak,
    "gas_unresting": gas_unresting,
    "dead_meter": dead_meter,
    "base_load": base_load,
    "tier": tier,
    "budget": budget,
    "no_water": no_water,
}
"""One function a kind of the table of kinds; each is pure: the same dwelling gives the same outcomes."""


def look(home: HomeSeen) -> list[Outcome]:
    """Give what each condition says of a dwelling, in the order of the table."""
    return [outcome for condition in CONDITIONS.values() for outcome in condition(home)]
