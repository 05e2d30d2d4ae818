"""`quintet vee backtest` and `quintet vee order`: which estimators err least here, and which are asked first."""

from typing import Annotated

from cyclopts import Parameter

from .command_city import actor
from .options import Common, KnownAt, ask
from .requests import Backtest, EstimationOrder


def vee_backtest(
    *,
    decide: Annotated[bool, Parameter(help="Put the chosen order in force from now on.", negative=())] = False,
    by: Annotated[str | None, Parameter(name="--actor", help="Who decides; default: the account that asks.")] = None,
    reason: Annotated[str, Parameter(help="Why; --decide needs it.")] = "",
    stretches: Annotated[int, Parameter(help="Stretches hidden for each commodity and length.")] = 400,
    seed: Annotated[int, Parameter(help="Which stretches are drawn follows from it.")] = 1,
    common: Common | None = None,
) -> int:
    """Hide sound stretches, let every estimator fill them, and say which order errs least, by commodity and length."""
    return ask(common, Backtest(seed, stretches, decide, by or actor(), reason))


def vee_order(*, known_at: KnownAt = None, common: Common | None = None) -> int:
    """Print the order in which estimators are asked, and where each choice is from."""
    return ask(common, EstimationOrder(known_at))
