"""Residuals: what is left when other amounts are known, and how much of these must be known before it is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from .catalogue import check_keys, read_toml
from .errors import BadInput

FLOW, GAP = "flow", "gap"
"""Import or export that follows from the rest; a closure error or a loss, which is small beside its terms."""
Minutes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Least:
    """The least share of each term that must be known before a residual of a kind is told."""

    share: Fraction

    def holds(self, expected: Minutes, known: Minutes) -> Mask:
        """Tell where the known minutes are enough of the expected ones; where nothing is expected they are."""
        return known * self.share.denominator >= expected * self.share.numerator

    @property
    def words(self) -> str:
        """Say why a residual is not told."""
        return f"less than {float(self.share):.0%} of a term is known"


def parse_residuals(table: Mapping[str, Any]) -> dict[str, Least]:
    """Build from parsed TOML; a bound without a reason, or outside 0 to 1, does not load."""
    check_keys(dict(table), required={"least"}, optional=set(), place="residuals.toml")
    check_keys(dict(table["least"]), required={FLOW, GAP}, optional=set(), place="residuals.toml")
    out: dict[str, Least] = {}
    for kind, row in table["least"].items():
        place = f"residuals.toml {kind}"
        check_keys(dict(row), required={"share", "reason"}, optional=set(), place=place)
        share = Fraction(row["share"])
        if not 0 < share <= 1 or not str(row["reason"]).strip():
            raise BadInput("wants a share above 0, at most 1, and a reason.", code="bad_row", place=place)
        out[kind] = Least(share)
    return out


@cache
def least(kind: str) -> Least:
    """Give the shipped bound of a kind of residual."""
    return parse_residuals(read_toml("quintet.terms", "residuals.toml"))[kind]
