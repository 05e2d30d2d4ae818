"""One rule tried on numbers that a person typed: the very functions that judge a city, and the figures they used."""

from fractions import Fraction

from quintet.terms.errors import UsageError
from quintet.vee import Rule, Rules, Verdict, candidates
from quintet.vee.rulebook import rules_absent
from quintet.vee.verdict import as_number

from .answer import Answer, document_of
from .try_input import decimal_of
from .try_reads import refuse_unread
from .try_rules import try_trial
from .try_trial import Asked, Trial, kind_of


def try_rule(asked: Asked, rules: Rules) -> Answer:
    """Try one rule; raises UsageError naming what is missing, cannot be read, or would not be read."""
    code, rule = chosen(asked, rules)
    trial = Trial(asked, code, rule)
    refuse_unread(trial)
    return answer_of(trial, try_trial(trial))


def chosen(asked: Asked, rules: Rules) -> tuple[str, Rule]:
    """Give the code in the table's letters, and the rule that it means for this channel."""
    said = asked.rule.strip()
    code = next((one.id for one in rules.rules if one.id.lower() == said.lower()), said.upper())
    found = candidates(rules, code)
    absent = rules_absent().get(code)
    if not found and absent is not None:
        raise UsageError(f"there is no rule {code}: {absent}", code="unknown_rule", place="--rule")
    if not found:
        raise UsageError(
            f"there is no rule {said}.",
            code="unknown_rule",
            place="--rule",
            remedy=f"Rules are {', '.join(rule.id for rule in rules.rules)}.",
        )
    here = [rule for rule in found if not rule.upstream] or found
    fits = [rule for rule in here if rule.scope.fits(kind_of(None, asked)[0])]
    return code, (fits or here)[0]


def answer_of(trial: Trial, found: Verdict) -> Answer:
    """Give a verdict as an answer: figures in the unit that people read."""
    figures = {
        name: as_number(form, value, trial.ratio, trial.cadence_us, trial.fine)
        for name, (form, value) in found.figures.items()
    }
    shown = {name: decimal_of(value) if isinstance(value, Fraction) else value for name, value in figures.items()}
    document = {"rule": trial.code, "verdict": found.verdict, **shown, "at": found.at, "unit": trial.unit.code}
    document |= {"commodity": trial.kind.commodity, "role": trial.kind.role, "judged_by": found.rule}
    document["why"] = found.why or None
    cells = [[name, " ".join(map(str, value)) if isinstance(value, list) else None if value is None else str(value)]
             for name, value in document.items()]  # fmt: skip
    return Answer(["figure", "value"], cells, document_of(document))
