"""What each try reads: an option that would be passed over is refused, so that no answer seems to have used it."""

from dataclasses import fields
from typing import Any

from quintet.terms.errors import UsageError

from .try_trial import Asked, Trial

EVERYWHERE = frozenset(("rule", "interval", "start", "tz", "commodity", "role", "unit", "meter_class", "history"))
"""What says which channel and when; --history is refused where a rule does not look back."""
OF_ESTIMATES = frozenset(("rule", "values", "interval", "start", "tz", "commodity", "role", "unit"))
SPELT = {"accuracy": "--class"}
REGISTER = frozenset(("register", "dials", "plate_max"))
"""What the differences of a register are made with."""
READS: dict[str, frozenset[str]] = {
    "V01": frozenset(("values", "offset")),
    "V03_gap": frozenset(("values", "days")),
    "V04_overlap": frozenset(("values", "days")),
    "V05": frozenset(("values", "flags")),
    "V06": REGISTER | {"values", "multiplier", "interval_multiplier"},
    "V08": frozenset(("values", "before", "year_before")),
    "V09": frozenset(("values", "before", "year_before")),
    "V12_negative": REGISTER | {"values"},
    "V12_reverse": REGISTER | {"values"},
    "V13": frozenset(("values", "reactive")),
    "V15": REGISTER,
    "V16": frozenset(("values", "plate_max")),
    "V17": frozenset(("values", "check", "accuracy")),
    "V19_duplicate": frozenset(("values",)),
    "V19_conflict": frozenset(("values",)),
    "V19_corrected": frozenset(("values",)),
    "V20": frozenset(("values", "days")),
    "H01": frozenset(("values", "volume", "delta_t")),
    "G01": frozenset(("values", "volume", "pressure", "temperature", "compressibility", "recorded")),
}
"""By the rule's id: the options that it reads beside EVERYWHERE. Not listed: a register's where it is found upstream,
else values."""


def refuse_unread(trial: Trial) -> None:
    """Raise UsageError that names the options given which the rule does not read."""
    rule = trial.rule
    own = READS.get(rule.id, REGISTER if rule.upstream else frozenset(("values",)))
    usual: dict[str, Any] = {one.name: one.default for one in fields(Asked)}
    given = [name for name in usual if name not in EVERYWHERE | own and getattr(trial.asked, name) != usual[name]]
    refuse(trial.code, given)


def refuse_unread_estimate(name: str, asked: Asked, *, city: bool) -> None:
    """Raise UsageError that names the options given which no estimator reads: a rule's, and a city's thresholds."""
    usual: dict[str, Any] = {one.name: one.default for one in fields(Asked)}
    given = [one for one in usual if one not in OF_ESTIMATES and getattr(asked, one) != usual[one]]
    refuse(f"the estimator {name}", [*given, *(["city"] if city else [])])


def refuse(what: str, given: list[str]) -> None:
    """Raise UsageError where any option was given that is not read."""
    if given:
        named = ", ".join(SPELT.get(name, f"--{name.replace('_', '-')}") for name in given)
        raise UsageError(
            f"{what} does not read {named}.", code="unread_option", place="vee try", remedy=f"Leave {named} out."
        )
