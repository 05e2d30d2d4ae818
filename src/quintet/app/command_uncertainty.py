"""`quintet uncertainty`: how certain each total is, and the trials that say whether to believe it."""

from typing import Annotated

from cyclopts import Parameter

from quintet.terms.errors import UsageError

from .command_compute import below
from .options import Common, From, KnownAt, Place, To, ask
from .requests import Uncertainty, UncertaintyTrials

WHOLE = "city"
Level = Annotated[float, Parameter(help="How often the truth is to lie inside, above 0 and below 1.")]


def uncertainty(
    *,
    start: From,
    end: To,
    place: Place = WHOLE,
    level: Level = 0.9,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Print each metered flow's total over whole days with the interval in which the truth lies.

    It accounts for meters that are silent or estimated, by what like meters did.
    """
    return ask(common, Uncertainty(start, end, place, level, known_at))


def uncertainty_trials(
    *,
    start: From,
    end: To,
    place: Place = WHOLE,
    level: Level = 0.9,
    hide: Annotated[str, Parameter(help="Shares of the known meters to hide, each tried by itself.")] = "0.05,0.2",
    times: Annotated[int, Parameter(help="Trials of each share and way of hiding.")] = 200,
    seed: Annotated[int, Parameter(help="The same seed hides the same.")] = 1,
    common: Common | None = None,
) -> int:
    """Hide known meters at random and count how often the interval holds the truth. Nothing in the city changes."""
    try:
        shares = [float(text) for text in hide.split(",")]
    except ValueError as error:
        raise UsageError(
            f"{hide!r} is no list of shares.", code="bad_trials", place="--hide", remedy="Write it as 0.05,0.2."
        ) from error
    return ask(common, UncertaintyTrials(start, end, place, level, shares, times, seed))


UNCERTAINTY = below("uncertainty", uncertainty, trials=uncertainty_trials)
