"""The table of rules: data with severity, scope and sourced thresholds; nothing half-described loads."""

import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any, cast

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.period import MINUTE_US
from quintet.terms.reading import Role, ValueKind
from quintet.terms.unit import units

from .block import Kind
from .checks import CHECKS, Check
from .period_checks import PERIOD
from .rule_bounds import refuse_bounds, refuse_twice
from .sourced import check_source, exact_threshold, table_of, words_of

SEVERITIES = ("reject", "flag", "note")
COUNTS = ("times", "days", "hours")
DURATIONS = {"min": MINUTE_US}
"""Units of a duration, in microseconds."""
CONDITIONS = {"K": "kelvin", "kPa": "pressure"}
"""Units of conditions and their forms: in thousandths, that is mK and Pa."""
SCOPES = ("commodities", "roles", "quantities", "value_kinds", "meter_classes")
SKIPS = ("skip_en", "skip_ko")
SAID = ("marks", "keeps")
"""Of a rule over a period: why its findings mark values, or why they do not."""
NARROWED = ("roles", "commodities", "meter_classes")
"""By which a threshold may be narrowed."""
MOST_TOP, MOST_BOTTOM = 10**12, 10**6
"""Bounds of a ratio's numerator and denominator: a product of both stays in 62 bits, so comparisons stay exact."""


@dataclass(frozen=True, slots=True)
class Scope:
    """For which channels something holds: a set for each of SCOPES, None for all."""

    allowed: tuple[frozenset[str] | None, ...]

    def fits(self, kind: Kind) -> bool:
        """Tell whether a channel of this kind is in scope."""
        return all(names is None or own in names for names, own in zip(self.allowed, kind, strict=True))

    def named(self, which: str) -> frozenset[str] | None:
        """Give the names allowed for one of SCOPES; None for all."""
        return self.allowed[SCOPES.index(which)]

    def __str__(self) -> str:
        """Say it in words: `commodities gas, water; roles consumption`, or `all`."""
        said = [f"{key} {', '.join(sorted(names))}" for key, names in zip(SCOPES, self.allowed, strict=True) if names]
        return "; ".join(said) or "all"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A threshold: exact value (a rate in sub-units an hour, an amount in sub-units), form, scope and where it is from.

    `form` is ratio, count, rate, amount, duration (microseconds), kelvin (mK) or pressure (Pa); `quantity` is that of
    its unit, None where it has none. `stated` is the number as the table says it.
    """

    name: str
    stated: str
    value: Fraction
    unit: str
    form: str
    quantity: str | None
    scope: Scope
    source: str
    date: date


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `severity` is reject, flag or note; `skip_*` say when it judges nothing, empty where that is plain.

    Of a rule over a period, `marks` says why its findings mark the values that they span, or `keeps` why they do not.
    """

    id: str
    name_en: str
    name_ko: str
    text_en: str
    text_ko: str
    severity: str
    upstream: bool
    scope: Scope
    parameters: tuple[Parameter, ...]
    skip_en: str = ""
    skip_ko: str = ""
    marks: str = ""
    keeps: str = ""

    @property
    def doubts(self) -> bool:
        """Tell whether its findings mark values."""
        return bool(self.marks) and self.severity != "note"

    @property
    def reach(self) -> str:
        """Say what its verdict depends on: interval, day, run or period; upstream where it is judged before."""
        if self.upstream:
            return "upstream"
        return CHECKS[self.id].reach if self.id in CHECKS else "period"

    def settings(self, kind: Kind) -> Mapping[str, Fraction] | None:
        """Give the thresholds in force for a kind of channel, by name; None where the rule does not apply."""
        if not self.scope.fits(kind):
            return None
        found = [p for p in self.parameters if p.quantity in (None, kind.quantity) and p.scope.fits(kind)]
        return {parameter.name: parameter.value for parameter in found}


EVERY = Scope((None,) * len(SCOPES))
"""The scope of all channels."""
Planned = tuple[int, Rule, Mapping[str, Fraction]]
"""A rule's index in its table, the rule, and the thresholds that apply."""


class Rules:
    """The rules in force, in the order of the table, and a fingerprint that names this very set."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        """Build from `[rule.X]` rows."""
        self.rules = tuple(_rule(code, row) for code, row in table.items())
        self.index = {rule.id: place for place, rule in enumerate(self.rules)}
        text = json.dumps(table, sort_keys=True, default=str)
        self.fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._plans: dict[Kind, list[Planned]] = {}
        self._period_plans: dict[Kind, list[Planned]] = {}

    def plan(self, kind: Kind) -> list[Planned]:
        """Give the rules that judge a kind of channel as readings are committed: index, rule, thresholds in force."""
        if kind not in self._plans:
            self._plans[kind] = self._planned(kind, CHECKS.keys())
        return self._plans[kind]

    def period_plan(self, kind: Kind) -> list[Planned]:
        """Give the rules that judge a kind of channel over a period, with what stands beside it: as `plan`."""
        if kind not in self._period_plans:
            self._period_plans[kind] = self._planned(kind, PERIOD.keys())
        return self._period_plans[kind]

    def _planned(self, kind: Kind, ids: Set[str]) -> list[Planned]:
        """Give the rules of some ids that apply to a kind, in the order of the table."""
        found = [(index, rule, rule.settings(kind)) for index, rule in enumerate(self.rules) if rule.id in ids]
        return [(index, rule, settings) for index, rule, settings in found if settings is not None]

    def __getitem__(self, code: str) -> Rule:
        """Find a rule that must exist."""
        place = self.index.get(code)
        if place is None:
            raise BadInput(f"unknown rule {code}.", code="unknown_rule", remedy=f"Known: {', '.join(self.index)}.")
        return self.rules[place]


@cache
def shipped() -> Mapping[str, Any]:
    """Give the rows that ship with the package."""
    return read_toml("quintet.vee", "rules.toml")["rule"]


@cache
def rules_absent() -> Mapping[str, str]:
    """Give the numbers that the list of rules leaves out, and what there is to say of each."""
    return {code: row["text_en"] for code, row in read_toml("quintet.vee", "rules.toml")["absent"].items()}


def overlay(rows: Mapping[str, Any], overrides: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the shipped rows with a city's own on top: `{"V07": {"severity": "reject", "parameter": [...]}}`.

    Keys replace (`keeps` in the place of `marks`, and the other way round), parameter rows are added after the shipped
    ones (the last that fits counts), each with its own source and date. A rule that does not exist, or a key that no
    rule has, is refused.
    """
    merged = dict(rows)
    for code, change in table_of(overrides or {}, "[rule]").items():
        place = f"rule {code}"
        table_of(change, place)
        if code not in merged:
            raise BadInput("is no rule.", code="unknown_rule", place=place, remedy=f"Known: {', '.join(merged)}.")
        check_keys(change, required=set(), optional={"severity", "applies", "parameter", *SAID}, place=place)
        more = {**merged[code], **change}
        if said := [name for name in SAID if name in change]:
            more = {name: value for name, value in more.items() if name not in SAID or name in said}
        if "parameter" in change:
            refuse_twice(_rows(change, place), place)
            more["parameter"] = [*merged[code].get("parameter", []), *change["parameter"]]
        merged[code] = more
    return merged


def _rule(code: str, row: Mapping[str, Any]) -> Rule:
    """Read one row."""
    place = f"rule {code}"
    names = {"name_en", "name_ko", "text_en", "text_ko", "severity"}
    check_keys(dict(row), required=names, optional={"applies", "parameter", "upstream", *SKIPS, *SAID}, place=place)
    words_of(row, ("name_en", "name_ko", "text_en", "text_ko", *SKIPS, *SAID), place)
    if not isinstance(row.get("upstream", False), bool):
        raise BadInput(f"upstream = {row['upstream']!r} is neither true nor false.", code="bad_rule", place=place)
    if row["severity"] not in SEVERITIES:
        raise BadInput(
            f"{row['severity']!r} is no severity.", code="bad_rule", place=place, remedy=f"Use {SEVERITIES}."
        )
    parameters = tuple(_parameter(item, place) for item in _rows(row, place))
    refuse_bounds(code, parameters, EVERY)
    return Rule(
        code,
        row["name_en"],
        row["name_ko"],
        row["text_en"],
        row["text_ko"],
        row["severity"],
        upstream=row.get("upstream", False),
        scope=_scope(row.get("applies", {}), place),
        parameters=parameters,
        **{name: row[name] for name in (*SKIPS, *SAID) if name in row},
    )


def _rows(row: Mapping[str, Any], place: str) -> list[Mapping[str, Any]]:
    """Give the threshold rows of a rule."""
    found: object = row.get("parameter", [])
    if not isinstance(found, list):
        raise BadInput(
            "parameter is no list of rows.",
            code="bad_rule",
            place=place,
            remedy=f"Write [[{place.replace(' ', '.')}.parameter]].",
        )
    return [table_of(one, f"{place}, parameter") for one in cast(list[object], found)]


def _scope(row: Mapping[str, Any], place: str) -> Scope:
    """Read `applies`; a role, quantity or value kind that does not exist is a slip of the pen and refused."""
    check_keys(
        dict(table_of(row, f"{place}, applies")), required=set(), optional=set(SCOPES), place=f"{place}, applies"
    )
    known = {"roles": set(Role), "quantities": set(units().sub_units), "value_kinds": set(ValueKind)}
    for key, names in row.items():
        if not isinstance(names, list) or not all(isinstance(one, str) for one in cast(list[object], names)):
            raise BadInput(
                f"{key} = {names!r} is no list of words.", code="bad_rule", place=place, remedy='Write ["..", ".."].'
            )
        strange = sorted(set(names) - set(map(str, known.get(key, set(names)))))
        if strange:
            raise BadInput(f"{', '.join(strange)} is none of the {key}.", code="bad_rule", place=place)
    return Scope(tuple(frozenset(row[key]) if key in row else None for key in SCOPES))


def _parameter(row: Mapping[str, Any], place: str) -> Parameter:
    """Read one threshold; without source and date, or as a float, it does not load."""
    place = f"{place}, parameter {row.get('name', '?')}"
    needed = {"name", "value", "unit", "source", "date"}
    check_keys(dict(row), required=needed, optional=set(NARROWED), place=place)
    words_of(row, ("name", "unit"), place)
    check_source(row, place)
    number = exact_threshold(row["value"], place, "bad_rule")
    scope = _scope({key: row[key] for key in NARROWED if key in row}, place)
    value, form, quantity = _measure(number, row["unit"], place)
    return Parameter(row["name"], row["value"], value, row["unit"], form, quantity, scope, row["source"], row["date"])


def _measure(number: Fraction, unit: str, place: str) -> tuple[Fraction, str, str | None]:
    """Turn a number and its unit into value, form and quantity."""
    if unit == "1":
        if number.numerator > MOST_TOP or number.denominator > MOST_BOTTOM:
            raise BadInput("has too many digits for a ratio.", code="bad_rule", place=place)
        return number, "ratio", None
    if unit in COUNTS:
        if number.denominator != 1 or number < 1:
            raise BadInput("must be a whole number from 1 on.", code="bad_rule", place=place)
        return number, "count", None
    if unit in DURATIONS:
        return number * DURATIONS[unit], "duration", None
    if unit in CONDITIONS:
        return number * 1000, CONDITIONS[unit], None
    found = units()[unit]
    return number * found.ratio, "rate" if found.rate else "amount", found.quantity


def _guard(rule: Rule) -> None:
    """Refuse a rule without function, and thresholds that its function lacks, never reads or takes in another form."""
    place = f"rule {rule.id}"
    check = CHECKS.get(rule.id) or PERIOD.get(rule.id)
    if [bool(rule.marks.strip()), bool(rule.keeps.strip())].count(True) != (rule.id in PERIOD):
        raise BadInput(
            "must say either why it marks values or why it keeps them as they are." if rule.id in PERIOD
            else "is judged as readings are committed: it marks nothing later.",
            code="bad_rule", place=place, remedy='Set `marks = "…"` or `keeps = "…"` for a rule over a period.',
        )  # fmt: skip
    if (check is None) != rule.upstream:
        problem = "has no function" if check is None else "has a function and is marked upstream"
        raise BadInput(f"{problem}.", code="bad_rule", place=place, remedy="Add one to CHECKS, or set upstream = true.")
    if check is None:
        return
    strange = sorted({p.name for p in rule.parameters if check.needs.get(p.name) != p.form})
    if strange:
        raise BadInput(f"does not read {', '.join(strange)} in that form.", code="bad_rule", place=place)
    quantities = rule.scope.named("quantities") or units().sub_units
    general = [p for p in rule.parameters if p.scope == EVERY]
    optional = check.optional if isinstance(check, Check) else frozenset[str]()
    for name in check.needs.keys() - optional:
        lacking = [q for q in quantities if not any(p.name == name and p.quantity in (None, q) for p in general)]
        if lacking:
            raise BadInput(f"has no {name} for {', '.join(sorted(lacking))}.", code="bad_rule", place=place)


def rules_from(rows: Mapping[str, Any]) -> Rules:
    """Load a table of rule rows and hold it against the functions: each side must know the other."""
    table = Rules(rows)
    for rule in table.rules:
        _guard(rule)
    orphans = sorted((CHECKS.keys() | PERIOD.keys()) - table.index.keys())
    if orphans:
        raise BadInput(f"the functions {', '.join(orphans)} have no row.", code="bad_rule", place="rules")
    return table


def rules(overrides: Mapping[str, Any] | None = None) -> Rules:
    """Give the rules in force: those that ship, with a city's own changes on top (see `overlay`)."""
    return rules_from(overlay(shipped(), overrides))
