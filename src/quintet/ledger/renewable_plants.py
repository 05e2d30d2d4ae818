"""What renewable plants take in to make their energy: a heat pump's electricity is no energy that was won here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from .calorific import Calorific
from .carriers import carriers_data, energy_of
from .conversions import Booked
from .grid import Amounts, Mask
from .totals import primary

IN, OUT = "in", "out"


@dataclass(frozen=True, slots=True)
class Intake:
    """What one renewable plant took in of one carrier, per interval in metered sub-units.

    `weight` is primary energy of one such sub-unit by the factor of what the plant makes (None: nobody can say, and
    `reason` says why); `gone` tells in which intervals it is not known.
    """

    plant: str
    amounts: Amounts
    gone: Mask
    weight: Fraction | None
    reason: str = ""


def intakes_of(
    entries: Sequence[Booked], value: Amounts, unknown: Mask, day: date, calorific: list[Calorific] | None = None
) -> list[Intake]:
    """Give what each of some renewable plants took in; `value` and `unknown` are [entries, intervals].

    Energy is by the calorific values of `day`. Carriers that are no energy (water) are left out. A plant that makes
    several carriers has the factor of its output as a whole: sum(energy x factor) / sum(energy) over the intervals.
    """
    out: list[Intake] = []
    by_plant: dict[str, list[int]] = {}
    for at, entry in enumerate(entries):
        by_plant.setdefault(entry.plant, []).append(at)
    contents = [_content(entry, day, calorific) for entry in entries]
    for plant, members in sorted(by_plant.items()):
        made = [at for at in members if entries[at].side == OUT and contents[at] != 0]
        factor = _factor({at: (contents[at], _sum(value[at], unknown[at])) for at in made}, entries)
        for at in members:
            content = contents[at]
            if entries[at].side != IN or content == 0:
                continue
            reason = factor if isinstance(factor, str) else ""
            if content is None:
                reason = f"{entries[at].commodity} is metered as {entries[at].quantity}, and no way leads to energy"
            weight = None if content is None or isinstance(factor, str) else content * factor
            out.append(Intake(plant, value[at], unknown[at], weight, reason))
    return out


def _content(entry: Booked, day: date, calorific: list[Calorific] | None) -> Fraction | None:
    """Give the energy of one sub-unit of an entry: 0 of what is no energy, None where no way leads to it."""
    data = carriers_data()
    if entry.commodity not in data.primary and entry.quantity != "energy":
        return Fraction(0)
    return energy_of(entry.commodity, entry.quantity, day, data, calorific)[0]


def _sum(amounts: Amounts, unknown: Mask) -> Fraction:
    """Sum what is known."""
    return Fraction(int(amounts[~unknown].sum()))


def _factor(made: Mapping[int, tuple[Fraction | None, Fraction]], entries: Sequence[Booked]) -> Fraction | str:
    """Give the primary factor of what a plant makes, or say why there is none; 0 where it made nothing."""
    weighed = carriers_data().primary
    factors: dict[int, Fraction] = {}
    for at, (content, _) in made.items():
        commodity = entries[at].commodity
        if commodity not in weighed:
            return f"there is no primary factor of {commodity}"
        if content is None:
            return f"{commodity} is metered as {entries[at].quantity}, and no way leads to energy"
        factors[at] = primary().factors[weighed[commodity]]
    if len(set(factors.values())) == 1:
        return next(iter(factors.values()))
    energy = {at: (content or 0) * amount for at, (content, amount) in made.items()}
    whole = sum(energy.values(), Fraction(0))
    return sum((factors[at] * each for at, each in energy.items()), Fraction(0)) / whole if whole > 0 else Fraction(0)
