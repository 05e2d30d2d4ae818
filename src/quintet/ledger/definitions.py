"""The definitions of self-sufficiency as data rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from quintet.terms.catalogue import CERTAINTIES, check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.tables import FLOW_NAMES

REQUIRED = {
    "name_en", "name_ko", "method", "commodity", "quantity", "own", "renewable_only", "use", "explanation_en",
    "explanation_ko", "source", "certainty",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition: of which commodity, what counts as own and as used, and the method that computes it."""

    id: str
    name_en: str
    name_ko: str
    method: str
    commodity: str
    quantity: str
    own: tuple[str, ...]
    renewable_only: bool
    use: tuple[str, ...]
    explanation_en: str
    explanation_ko: str
    source: str
    certainty: str


WORDS = {"name_en", "name_ko", "explanation_en", "explanation_ko", "source", "certainty"}
TOTAL_KEYS = {*WORDS, "own", "use", "credited", "weights", "unit"}
STEP_KEYS = {"from", "to", "assumption", "words_en", "words_ko"}
WEIGHTS = ("energy", "primary")


@dataclass(frozen=True, slots=True)
class TotalDefinition:
    """One definition over all carriers: from stated totals by `totals.py`, from the books by `whole.py`.

    Own is the renewable part of the flows `own`; use are the flows `use` less the part of `credited` that is not
    renewable; `weights` is "energy" or "primary", `unit` the one in which the sums are told.
    """

    id: str
    name_en: str
    name_ko: str
    own: tuple[str, ...]
    use: tuple[str, ...]
    credited: tuple[str, ...]
    weights: str
    unit: str
    explanation_en: str
    explanation_ko: str
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """One changed assumption between two definitions (or variants), in words."""

    id: str
    before: str
    after: str
    assumption: str
    words_en: str
    words_ko: str


def parse_totals(table: Mapping[str, Any], kind: str = "total") -> dict[str, TotalDefinition]:
    """Build the definitions over all carriers from parsed TOML, by id; refuses unknown keys, flows and marks."""
    out: dict[str, TotalDefinition] = {}
    for code, row in table[kind].items():
        if kind != "total" and "method" in row:
            continue
        place = f"{kind} {code}"
        check_keys(row, required=TOTAL_KEYS, optional=set(), place=place)
        strange = {*row["own"], *row["use"], *row["credited"]} - set(FLOW_NAMES)
        if strange or row["weights"] not in WEIGHTS:
            raise BadInput(f"unknown flow or weights: {sorted(strange)}.", code="bad_row", place=place)
        if row["certainty"] not in CERTAINTIES:
            raise BadInput("unknown certainty.", code="bad_row", place=place)
        values: dict[str, Any] = {**row, **{name: tuple(row[name]) for name in ("own", "use", "credited")}}
        out[code] = TotalDefinition(id=code, **values)
    return out


@cache
def totals() -> Mapping[str, TotalDefinition]:
    """Give the shipped definitions over all carriers, by id."""
    return parse_totals(read_toml("quintet.ledger", "definitions.toml"))


@cache
def variants() -> tuple[Mapping[str, Definition], Mapping[str, TotalDefinition]]:
    """Give the shipped steps between definitions: those of one carrier and those over all, by id."""
    table = read_toml("quintet.ledger", "definitions.toml")
    own = {code: row for code, row in table["variant"].items() if "method" in row}
    return parse_definitions({"definition": own}), parse_totals(table, "variant")


def parse_steps(table: Mapping[str, Any]) -> tuple[StepDefinition, ...]:
    """Build the steps of the explanation, in order; each begins where one before it, or nothing, has ended."""
    out: list[StepDefinition] = []
    for code, row in table["step"].items():
        check_keys(row, required=STEP_KEYS, optional=set(), place=f"step {code}")
        if out and row["from"] not in {name for step in out for name in (step.before, step.after)}:
            raise BadInput(f"nothing leads to {row['from']}.", code="bad_row", place=f"step {code}")
        out.append(StepDefinition(code, row["from"], row["to"], row["assumption"], row["words_en"], row["words_ko"]))
    return tuple(out)


@cache
def steps() -> tuple[StepDefinition, ...]:
    """Give the shipped steps."""
    return parse_steps(read_toml("quintet.ledger", "definitions.toml"))


def parse_definitions(table: Mapping[str, Any]) -> dict[str, Definition]:
    """Build the definitions from parsed TOML, by id; refuses unknown keys, flows and certainty marks."""
    out: dict[str, Definition] = {}
    for code, row in table["definition"].items():
        place = f"definition {code}"
        check_keys(row, required=REQUIRED, optional=set(), place=place)
        strange = {*row["own"], *row["use"]} - set(FLOW_NAMES)
        if strange or row["certainty"] not in CERTAINTIES:
            raise BadInput(f"unknown flow or certainty: {sorted(strange)}.", code="bad_row", place=place)
        values: dict[str, Any] = {**row, "own": tuple(row["own"]), "use": tuple(row["use"])}
        out[code] = Definition(id=code, **values)
    return out


@cache
def definitions() -> Mapping[str, Definition]:
    """Give the shipped definitions, by id."""
    return parse_definitions(read_toml("quintet.ledger", "definitions.toml"))
