"""`quintet emissions compute`: what a typed amount emits, with the factor and where it comes from."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from quintet.ledger.amount import Amount, AmountEmission, StatedCalorific, emission_of, per_unit
from quintet.ledger.calorific import Calorific, heating_words
from quintet.ledger.choice import Wanted
from quintet.ledger.dated import latest_day
from quintet.ledger.factors import GASES, HEATING_VALUES, Factor, factors, gwp_set, plain_name
from quintet.terms.catalogue import read_toml_file
from quintet.terms.commodity import commodities
from quintet.terms.errors import UsageError

from .answer import Answer, document_of
from .cells import rows_of
from .try_input import NUMBER, decimal_of

COLUMNS = ["what", "value", "unit"]
AMOUNT = re.compile(rf"(?P<number>{NUMBER.pattern})\s*(?P<unit>[^\d\s,.+-]\S*)?")
PER = re.compile(rf"(?P<number>{NUMBER.pattern})\s*(?:(?P<unit>[^\d\s/]+)\s*/\s*(?P<per>\S+))?")
LARGEST = 10**18
"""Beyond this no city has anything, and a slip of the keyboard is likely."""


@dataclass(frozen=True, slots=True)
class AskedAmount:
    """The options of the command, as typed."""

    commodity: str
    amount: str
    year: int | None
    basis: str | None
    use: str | None
    branch: str | None
    gwp: str
    purpose: str
    factor: str | None
    factors: Path | None
    known_on: str | None
    calorific: str | None


def compute_emissions(asked: AskedAmount) -> Answer:
    """Give kg CO2e, the gases and the factor with its source; raises UsageError or BadInput with place and remedy."""
    number, unit = read_amount(asked.amount, "--amount")
    asked = replace(asked, commodity=_commodity(asked.commodity))
    basis = None if asked.basis is None else heating_words().get(plain_name(asked.basis), asked.basis)
    basis = _one_of(basis, HEATING_VALUES, "--basis")
    own = {} if asked.factors is None else read_toml_file(asked.factors)
    known_on = None if asked.known_on is None else latest_day(asked.known_on, "--known-on")
    wanted = Wanted(asked.commodity, asked.year, asked.purpose, asked.use, asked.branch, asked.factor, known_on)
    found = emission_of(
        Amount(number, unit, basis, _calorific(asked.calorific, basis)),
        wanted,
        gwp=asked.gwp,
        table=factors().with_rows(own),
    )
    return _answer(asked, number, unit, found)


def read_amount(text: str, option: str) -> tuple[Fraction, str]:
    """Read `400 MWh` as an exact number and the name of a unit."""
    match = AMOUNT.fullmatch(text.strip())
    if match is None or not match["unit"]:
        raise UsageError(
            f"{text!r} has no unit." if match else f"{text!r} is no amount.",
            code="bad_amount",
            place=option,
            remedy='Write a number and a unit: "400 MWh".',
        )
    number = Fraction(Decimal(match["number"]))
    if number < 0:
        raise UsageError(f"{text!r} is below zero.", code="negative_amount", place=option, remedy="Give what was used.")
    if number > LARGEST:
        raise UsageError(f"{text!r} is beyond what any city uses.", code="too_large", place=option)
    return number, match["unit"]


def _commodity(text: str) -> str:
    """Take a commodity's code, or its English or Korean name; another word stays as it is, and is refused later."""
    plain = plain_name(text)
    for code, row in commodities().rows.items():
        if plain in {plain_name(name) for name in (code, row.name_en, row.name_ko)}:
            return code
    return text


def _one_of(text: str | None, known: tuple[str, ...], option: str) -> str | None:
    """Take a word of a list."""
    if text is not None and text not in known:
        raise UsageError(
            f"there is no {text!r}.", code="bad_choice", place=option, remedy=f"There are {', '.join(known)}."
        )
    return text


def _calorific(text: str | None, basis: str | None) -> StatedCalorific | None:
    """Read `38.5` or `38.5 MJ/m3`; --basis says which energy it is."""
    if text is None:
        return None
    match = PER.fullmatch(text.strip())
    if match is None or (match["unit"], match["per"]) not in {(None, None), ("MJ", "m3"), ("MJ", "Nm3")}:
        raise UsageError(
            f"{text!r} is no calorific value.", code="bad_calorific", place="--calorific",
            remedy="Write it in MJ for one m3: 38.5.",
        )  # fmt: skip
    if basis is None:
        raise UsageError(
            "a stated calorific value is either gross or net.", code="ambiguous_heating_value", place="--basis",
            remedy="Say --basis gross or --basis net.",
        )  # fmt: skip
    return StatedCalorific(Fraction(Decimal(match["number"])), basis)


def _answer(asked: AskedAmount, number: Fraction, unit: str, found: AmountEmission) -> Answer:
    """Write the answer: a document with every digit, and a table of what matters."""
    kg, weights, factor = decimal_of(found.kg_co2e), gwp_set(asked.gwp), found.factor
    gases, weighed = (
        {gas: decimal_of(kg[gas]) if gas in kg else None for gas in GASES}
        for kg in (found.gases_kg, found.gases_co2e_kg)
    )
    document: dict[str, Any] = {
        "commodity": asked.commodity,
        "amount": decimal_of(number),
        "unit": unit,
        "year": asked.year,
        "kg_co2e": kg,
        "t_co2e": decimal_of(found.kg_co2e / 1000),
        "gases": {**gases, "co2e": kg},
        "gases_co2e": {**weighed, "co2e": kg},
        "gwp": found.gwp,
        "gwp_weights": {gas: decimal_of(each) for gas, each in weights.weights.items()} if found.gases_kg else None,
        "gwp_source": weights.source if found.gases_kg else None,
        "scope": factor.scope,
        "purpose": asked.purpose,
        "basis": found.basis,
        "source": factor.source,
        "published_on": factor.published_on,
        "activity_year": factor.years,
        "factor": _factor(factor, asked.gwp),
        "calorific": None if found.calorific is None else _calorific_row(found.calorific),
        "others_of_the_year": [_factor(one, asked.gwp) for one in found.others],
    }
    rows = [
        {"what": "kg_co2e", "value": kg, "unit": "kg"},
        *({"what": gas, "value": gases[gas], "unit": "kg"} for gas in gases if found.gases_kg),
        {"what": "factor", "value": decimal_of(found.factor_kg_co2e), "unit": f"kg CO2e/{factor.unit}"},
    ]
    notes = [
        f"{factor.id}: activity {factor.years}, published {factor.published_on}, scope {factor.scope}, GWP {found.gwp};"
        f" {found.basis}",
        f"source: {factor.source}",
        *(f"also for this year: {one.id} ({', '.join(one.purposes)})" for one in found.others),
    ]
    return Answer(COLUMNS, rows_of(COLUMNS, rows), document_of(document), numbers=["value"], notes=notes)


def _factor(factor: Factor, gwp: str) -> dict[str, Any]:
    """Write a factor with all that it carries; `kg` is for one `unit`."""
    return {
        "id": factor.id,
        "kg": {name: decimal_of(each) for name, each in per_unit(factor, gwp_set(gwp)).items()},
        "unit": factor.unit,
        "heating_value": factor.heating_value,
        "activity_year": factor.years,
        "published_on": factor.published_on,
        "scope": factor.scope,
        "purposes": list(factor.purposes),
        "gwp": factor.gwp,
        "source": factor.source,
        "certainty": factor.certainty,
        "supplier": factor.supplier,
        "branch": factor.branches[0] if factor.branches else None,
        "uses": list(factor.uses),
        "note": factor.note,
    }


def _calorific_row(value: Calorific) -> dict[str, Any]:
    """Write the calorific value by which an amount was converted."""
    return {
        "id": value.id,
        **{kind: decimal_of(each) for kind, each in value.content.items()},
        "unit": f"{value.energy_unit}/{value.volume_unit}",
        "published_on": value.published_on or None,
        "source": value.source,
        "certainty": value.certainty,
    }
