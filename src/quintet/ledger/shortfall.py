"""What is made here where its meters show less than nothing: then it is no share of what is used."""

from dataclasses import dataclass

from .balance import SHORT
from .grid import Amounts, Mask


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What is made here where it shows less than nothing: why there is no ratio, or what is taken for granted."""

    refusal: str | None
    assumed: tuple[str, ...]


def shortfall(own: Amounts, gone: Mask, of: str = "") -> Shortfall:
    """Judge what is made here, over the intervals that count: below zero as a whole it is no share of anything."""
    count = int(((own < 0) & ~gone).sum())
    if not count:
        return Shortfall(None, ())
    if own[~gone].sum() < 0:
        return Shortfall(f"{of}{SHORT}", ())
    told = f"in {count} intervals less than nothing was made here: what plants took in then is taken off what they made"
    return Shortfall(None, (f"{of}{told}",))
