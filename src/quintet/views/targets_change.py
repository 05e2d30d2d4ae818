"""How much closer a place has come: the change between two periods in parts that add up, each with its evidence."""

from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.ledger.city_rows import find_set
from quintet.ledger.dated import said
from quintet.ledger.decompose import PARTS, REVISIONS, WORDS
from quintet.ledger.targets import EMISSIONS, KG, ONE
from quintet.terms.errors import UsageError
from quintet.terms.period import from_us

from .answers_ledger import FactorSetName
from .answers_targets import ChangeApart, ChangePart, FigureKnown
from .change_of_emissions import of_emissions
from .change_of_share import of_share
from .change_parts import ACTIVITIES, ZERO, Apart, Comparison
from .targets_weather import two_periods

METHOD = "shapley"


def change_apart(access: Access, asked: Comparison, tz: ZoneInfo) -> ChangeApart:
    """Take the change of emissions, or of self-sufficiency by a definition, apart.

    Raises UsageError for a metric or activity that is none, or where a figure has no value in a period.
    """
    if asked.activity not in ACTIVITIES:
        raise UsageError(
            f"there is no activity {asked.activity!r}.", code="unknown_activity", place="activity",
            remedy=f"There are {', '.join(ACTIVITIES)}.",
            said={"text": asked.activity, "known": list(ACTIVITIES)},
        )  # fmt: skip
    known = access.as_known(asked.known_at)
    two = two_periods(known, asked.place, asked.base, asked.other, tz)
    found = Apart(dict.fromkeys(PARTS, ZERO), {one: [] for one in PARTS})
    of_metric = of_emissions if asked.metric == EMISSIONS else of_share
    first, before, after = of_metric(access, known, asked, two, found, tz)
    if asked.then is None:
        found.evidence[REVISIONS].append("not asked: name a moment (`then`) at which the earlier period was known")
    chosen = find_set(known.registry().timelines)
    exact = {"before": first, "before_as_known_now": before, "after": after, "change": after - first}
    return ChangeApart(
        from_us(two.known_us).astimezone(tz), None if asked.then is None else asked.then.astimezone(tz), two.rule_set,
        FactorSetName(chosen.name, chosen.digest), METHOD, asked.place, asked.metric, asked.of,
        KG if asked.metric == EMISSIONS else ONE, asked.activity,
        asked.base.start.astimezone(tz), asked.base.end.astimezone(tz), asked.other.start.astimezone(tz),
        asked.other.end.astimezone(tz),
        said(first), said(after), said(after - first), {name: str(one) for name, one in exact.items()},
        _known(found, 0), _known(found, 1),
        [
            _part(part, found)
            for part in PARTS
        ],
    )  # fmt: skip


def _known(found: Apart, period: int) -> FigureKnown:
    """Write how far the figure of the earlier (0) or later (1) period can be trusted."""
    one = found.known[period]
    return FigureKnown(one.coverage, one.estimated_share, one.missing, one.unfactored)


def _part(part: str, found: Apart) -> ChangePart:
    """Write one part."""
    amount, (english, korean) = found.amount[part], WORDS[part]
    return ChangePart(part, said(amount), str(amount), english, korean, found.evidence[part])
