"""What a channel's numbers mean: a row's own words checked against the tables of commodities, units and roles."""

from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from quintet.terms.commodity import Alias, Commodities, Commodity
from quintet.terms.errors import BadInput
from quintet.terms.reading import DEFAULT_CADENCE_MIN, ReadingType, Role, ValueKind
from quintet.terms.unit import Unit, units

from .layout import Fault, Stated
from .timeline import Body

Kind = TypeVar("Kind", ValueKind, Role)

RATES = frozenset({ValueKind.AVG_POWER, ValueKind.INST_FLOW})
"""Kinds whose unit is an amount an hour."""
WITHOUT_GRID = frozenset({ValueKind.EVENT_SUM})
"""Kinds that come when something happens and so may leave their cadence open."""


class Meanings:
    """Reads what rows state. Each distinct combination is checked once: a city's meters share a few dozen."""

    def __init__(self, commodities: Commodities) -> None:
        """Read against this city's table of commodities."""
        self._commodities = commodities
        self._known: dict[Stated, Body | Fault] = {}

    def read(self, stated: Stated) -> Body | Fault:
        """Give a channel body's part on its numbers, or why there is none.

        Keys: word (the commodity as stated), commodity, unit, quantity, value_kind, role, cadence_min, tz, multiplier;
        dials, plate_max and renewable only where they say something.
        """
        found = self._known.get(stated)
        if found is None:
            try:
                found = self._check(stated)
            except BadInput as error:
                found = Fault(error.code, f"{error.message} {error.remedy}".strip())
            self._known[stated] = found
        return found

    def _check(self, stated: Stated) -> Body:
        commodity, alias = self._commodity(stated.commodity)
        kind = one_of(ValueKind, stated.value_kind, "value_kind")
        role = one_of(Role, stated.role or (alias.role if alias else None), "role")
        unit = _unit(stated.unit, commodity, kind)
        reading = ReadingType(
            commodity=commodity.code,
            unit=stated.unit or "",
            value_kind=kind,
            role=role,
            cadence_min=_cadence(stated.cadence_min, kind),
            tz=stated.tz or "",
            dials=whole(stated.dials, "dials", least=1),
            multiplier=decimal_text(stated.multiplier, "multiplier") or "1",
            plate_max=decimal_text(stated.plate_max, "plate_max"),
        )
        body: Body = {
            "word": stated.commodity,
            "commodity": reading.commodity,
            "unit": reading.unit,
            "quantity": unit.quantity,
            "value_kind": reading.value_kind.value,
            "role": reading.role.value,
            "cadence_min": reading.cadence_min,
            "tz": reading.tz,
            "multiplier": reading.multiplier,
        }
        renewable = alias is not None and alias.renewable
        extra = {"dials": reading.dials, "plate_max": reading.plate_max, "renewable": renewable}
        return body | {key: value for key, value in extra.items() if value}

    def _commodity(self, word: str | None) -> tuple[Commodity, Alias | None]:
        alias = self._commodities.aliases.get(word or "")
        code = alias.commodity if alias else word
        return self._commodities[code or "(none stated)"], alias


def one_of(kinds: type[Kind], word: str | None, what: str) -> Kind:
    """Find a word in a closed list."""
    try:
        return kinds(word)
    except ValueError as error:
        known = ", ".join(kind.value for kind in kinds)
        raise BadInput(
            f"unknown {what} {word!r}.", code=f"unknown_{what}", remedy=f"Known: {known}; mend the meters table."
        ) from error


def whole(value: Any, what: str, *, least: int) -> int | None:
    """Read a whole number of at least `least`; None where nothing was stated."""
    if value is None:
        return None
    try:
        number = Decimal(str(value))
        if number == int(number) and number >= least:
            return int(number)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise BadInput(
        f"{what} {value!r} is no whole number from {least} on.", code=f"bad_{what}", remedy="Mend the meters table."
    )


def decimal_text(value: Any, what: str) -> str | None:
    """Give a positive decimal as the text it was given in; None where nothing was stated."""
    if value is None:
        return None
    text = str(value).strip()
    try:
        if Decimal(text).is_finite() and Decimal(text) > 0:
            return text
    except InvalidOperation:
        pass
    raise BadInput(f"{what} {text!r} is no positive decimal.", code=f"bad_{what}", remedy="Write it as 1 or 0.001.")


def _cadence(value: Any, kind: ValueKind) -> int:
    cadence = whole(value, "cadence", least=1)
    if cadence is not None:
        return cadence
    if kind in WITHOUT_GRID:
        return DEFAULT_CADENCE_MIN
    raise BadInput(
        f"states no cadence, and {kind.value} needs one.", code="bad_cadence", remedy="State cadence_min in minutes."
    )


def _unit(name: str | None, commodity: Commodity, kind: ValueKind) -> Unit:
    unit = units().get(name or "")
    if unit is None:
        known = " or ".join(commodity.measures.values())
        raise BadInput(
            f"unknown unit {name}.",
            code="unknown_unit",
            remedy=f"Ask the publisher what {commodity.code} is in (such as {known}) and mend the meters table.",
        )
    commodity.display_unit(unit.quantity)
    if unit.rate != (kind in RATES):
        wanted = "an amount an hour" if kind in RATES else "an amount"
        raise BadInput(
            f"{name} does not suit {kind.value}, which is {wanted}.",
            code="wrong_unit",
            remedy="Mend unit or value_kind in the meters table.",
        )
    return unit
