"""What a stated amount of a carrier emits: the ledger's own factors and conversions, without a city."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from quintet.terms.commodity import Commodities, commodities
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.unit import Unit, units

from .calorific import Calorific, calorific_for, calorific_values
from .choice import Wanted, choose
from .emissions import Rate, rate_of
from .factors import FIRST_YEAR, HEATING_VALUES, LAST_YEAR, Factor, Factors, Gwp, factors, gwp_set


@dataclass(frozen=True, slots=True)
class StatedCalorific:
    """A calorific value that somebody states: energy units in one volume unit of the commodity, and of which kind."""

    content: Fraction
    heating_value: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A stated amount, in the unit's own name; `heating_value` ("gross", "net") is what its energy counts."""

    number: Fraction
    unit: str
    heating_value: str | None = None
    calorific: StatedCalorific | None = None


@dataclass(frozen=True, slots=True)
class AmountEmission:
    """What an amount emits, exactly, and by what.

    `gases_kg` and `gases_co2e_kg` are empty where the factor was published as CO2e. `gwp` names the set that weighed
    it. `calorific` is the value by which a volume or another heating value was converted, None where none was needed.
    """

    kg_co2e: Fraction
    gases_kg: Mapping[str, Fraction]
    gases_co2e_kg: Mapping[str, Fraction]
    factor: Factor
    factor_kg_co2e: Fraction
    basis: str
    gwp: str
    calorific: Calorific | None
    others: tuple[Factor, ...]


def emission_of(
    amount: Amount,
    wanted: Wanted,
    *,
    gwp: str = "AR5",
    table: Factors | None = None,
    carriers: Commodities | None = None,
) -> AmountEmission:
    """Give what an amount emits by the factor that is wanted.

    Raises UsageError for a unit that does not measure the commodity and for what is ambiguous until it is named (a
    year, a use, a branch, a heating value, AR6), BadInput where no factor is of what is named.
    """
    weights = gwp_set(gwp)
    measures = _measures(wanted, carriers or commodities())
    unit, at_reference = _unit(amount.unit, wanted.commodity, measures)
    found = choose(table or factors(), wanted)
    day = date.max if wanted.year is None else date(wanted.year, 12, 31)
    values = _calorific(amount, wanted.commodity, day)
    factor = found.chosen.factor
    _check_heating_value(amount, unit, factor)
    stated = amount.heating_value if unit.quantity == units()[factor.unit].quantity else None
    rate = rate_of(found.chosen, weights, unit.quantity, day, values, stated)
    kg = _kg_per_sub_unit(rate, wanted.commodity, amount.unit)
    sub_units = amount.number * unit.ratio
    gases = {gas: each * sub_units for gas, each in rate.gases_kg.items()}
    basis = rate.basis or ""
    used = calorific_for(wanted.commodity, day, values)
    return AmountEmission(
        kg_co2e=kg * sub_units,
        gases_kg=gases,
        gases_co2e_kg={gas: each * weights.weights[gas] for gas, each in gases.items()},
        factor=factor,
        factor_kg_co2e=factor.kg_co2e(weights),
        basis=basis.replace("volume taken as at", "volume at") if at_reference else basis,
        gwp=rate.gwp or "",
        calorific=used[0] if used and used[1] in basis else None,
        others=found.others,
    )


def _measures(wanted: Wanted, carriers: Commodities) -> Mapping[str, str]:
    """Give the quantities in which the wanted commodity may be stated; refuses an unknown one, and no year."""
    row = carriers.get(wanted.commodity)
    if row is None:
        remedy = f"There are {', '.join(carriers.rows)}."
        raise BadInput(
            f"there is no {wanted.commodity!r}.", code="unknown_commodity", place="--commodity", remedy=remedy
        )
    if wanted.year is not None and not FIRST_YEAR <= wanted.year <= LAST_YEAR:
        raise UsageError(f"{wanted.year} is no year.", code="bad_year", place="--year", remedy="Write it as 2023.")
    return row.measures


def per_unit(factor: Factor, gwp: Gwp) -> Mapping[str, Fraction]:
    """Give a factor's own numbers: kg for one of its units, CO2e always, the gases where it was published by gas."""
    return {"co2e": factor.kg_co2e(gwp), **(factor.gases_kg or {})}


def _unit(name: str, commodity: str, measures: Mapping[str, str]) -> tuple[Unit, bool]:
    """Find a unit that measures the commodity, and tell whether it says that a volume is at reference conditions."""
    at_reference = {
        other: row.volume_unit
        for row in calorific_values()
        if row.commodity == commodity
        for other in row.reference_units
    }
    unit = units().get(at_reference.get(name, name))
    if unit is None or unit.rate or unit.quantity not in measures:
        fitting = [each for each in units() if not units()[each].rate and units()[each].quantity in measures]
        raise UsageError(
            f"{name} does not measure {commodity}." if unit else f"there is no unit {name!r}.",
            code="wrong_unit",
            place="--amount",
            remedy=f"{_meant(name, [*fitting, *at_reference])}Units of {commodity} are"
            f" {', '.join([*fitting, *at_reference])}.",
        )
    return unit, name in at_reference


def _meant(name: str, known: Sequence[str]) -> str:
    """Ask whether a unit was meant that is spelt like this one but for its capitals: mWh is a billionth of an MWh."""
    near = [one for one in known if one.casefold() == name.casefold()]
    return f"Did you mean {' or '.join(near)}? " if near else ""


def _check_heating_value(amount: Amount, unit: Unit, factor: Factor) -> None:
    """Refuse an energy of unsaid heating value where the factor counts one, and a heating value that means nothing."""
    same = unit.quantity == units()[factor.unit].quantity
    if factor.heating_value is None:
        if amount.heating_value is not None or amount.calorific is not None:
            raise UsageError(
                f"{factor.commodity} has no gross and net energy.", code="no_heating_value", place="--basis",
                remedy="Leave --basis and --calorific out: they are for fuels.",
            )  # fmt: skip
    elif same and amount.heating_value is None:
        raise UsageError(
            f"an amount of {factor.commodity} as energy is either gross or net.",
            code="ambiguous_heating_value",
            place="--basis",
            remedy="Say --basis gross (as gas is billed) or --basis net (as fuel statistics and IPCC count).",
        )


def _calorific(amount: Amount, commodity: str, day: date) -> list[Calorific] | None:
    """Give the calorific values that count: the shipped ones, or the stated one in their stead.

    A stated value gives one kind of energy; the other follows by the ratio of the shipped value in force.
    """
    said = amount.calorific
    if said is None:
        return None
    shipped = calorific_for(commodity, day)
    if shipped is None:
        raise UsageError(
            f"{commodity} has no calorific value.", code="no_heating_value", place="--calorific",
            remedy="Leave --calorific out.",
        )  # fmt: skip
    value = shipped[0]
    if said.content <= 0:
        raise BadInput("a calorific value is above zero.", code="bad_calorific", place="--calorific")
    content = {kind: said.content * value.content[kind] / value.content[said.heating_value] for kind in HEATING_VALUES}
    source = f"stated as {said.heating_value}; the other kind by the ratio of {value.id}"
    return [
        replace(
            value, id="the stated calorific value", content=content, valid_from=date.min, published_on="",
            source=source, certainty="S", note="",
        )
    ]  # fmt: skip


def _kg_per_sub_unit(rate: Rate, commodity: str, unit: str) -> Fraction:
    """Give the rate's number, or say that no way leads from the unit to the factor's."""
    if rate.kg_co2e is None:
        raise BadInput(
            f"an amount in {unit} cannot be counted by it: {rate.reason}.",
            code="no_way",
            place=f"--amount ({commodity})",
        )
    return rate.kg_co2e
