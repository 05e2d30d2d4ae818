"""What of a balance row a source emits for: bought, made here, and the part of it that the network here lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .factors import Source

SUPPLY = ("import", "local_generation", "conversion_out")
LOSS = "known_loss"
PLANT, USERS = "plant", "users"
COUNTED_AT = (PLANT, USERS)
"""Where energy made inside is counted: at the plant by its fuel, or at its users by the factor of what they take."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Sub-units that count for a source in one period (None: not known): `used`, and `lost` of them in the network.

    `lost` is None where it is told nowhere (no channel of losses stands, or they are not known). `made_here`: part of
    it was made inside.
    """

    used: Fraction | None
    lost: Fraction | None
    made_here: bool


def counted(row: Mapping[str, Any], source: Source, count_at: str, unfuelled: int = 0) -> Counted:
    """Give what counts for a source in a balance row; `unfuelled` was made here by plants whose fuel no meter shows.

    The losses of a network are shared by what is bought and what is made here, in the ratio of the two.
    """
    names = source.flows + (source.made_here if count_at == USERS else ())
    parts = [row[name] for name in names]
    if None in parts:
        return Counted(None, None, False)
    made = count_at == USERS and bool(source.made_here)
    amount = Fraction(sum(int(part) for part in parts) + (unfuelled if made else 0))
    made_here = made and amount != sum(int(row[name]) for name in source.flows)
    lost = _lost(row, amount) if source.lost_scope is not None else None
    return Counted(amount - (lost or 0), lost, made_here)


def _lost(row: Mapping[str, Any], amount: Fraction) -> Fraction | None:
    """Give the part of the network's losses that falls on an amount; None where losses are told nowhere."""
    loss, supplied = row[LOSS], [row[name] for name in SUPPLY]
    if LOSS in row["absent"] or loss is None or None in supplied:
        return None
    whole = sum(int(part) for part in supplied)
    share = Fraction(int(loss)) * amount / whole if whole > 0 else Fraction(0)
    return min(max(share, Fraction(0)), amount)
