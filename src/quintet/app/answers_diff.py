"""The operation that says why a total changed between two moments."""

from typing import Any

from quintet.access import EVERYTHING
from quintet.terms.errors import UsageError
from quintet.terms.period import parse_moment
from quintet.views.changes_told import signed, told

from .answer import Answer, Progress, document_of
from .asked_time import asked_span
from .cells import local, plain, rows_of
from .city import City
from .requests import Diff

COLUMNS = ["flow", "commodity", "cause", "intervals", "change", "unit", "text"]
WHOLE = "city"


def diff(city: City, asked: Diff, _progress: Progress) -> Answer:
    """Explain in words and figures why totals of a place or a channel differ between two moments."""
    if asked.place is not None and asked.channel is not None:
        raise UsageError("a place and a channel are named.", code="bad_question", remedy="Name one of them.")
    tz = city.registry().tz
    span = asked_span(asked.start, asked.end, tz)
    before, after = parse_moment(asked.known_at, tz), parse_moment(asked.later, tz)
    access = city.access(EVERYTHING)
    place = "" if asked.channel else asked.place or WHOLE
    found = access.difference(span, before, after, place=place, channel=asked.channel or "")
    said = told(found, access, lang=asked.lang, most=asked.most)
    of: dict[str, Any] = {"channel": asked.channel} if asked.channel else {"place": place}
    document = {
        **of, "known_at": local(before, tz), "and": local(after, tz), "from": local(span.start, tz),
        "to": local(span.end, tz), "totals": plain(said.totals), "causes": plain(said.causes),
        "days": plain(said.days), "channels": plain(said.channels),
    }  # fmt: skip
    notes = [
        " ".join([one["text"], *known_then(one)])
        for one in said.totals
        if one["change"] or None in (one["before"], one["after"]) or not one["adds_up"]
    ]
    notes += [f"{one['day']}: {signed(one['change'])} {one['unit']}" for one in said.days if one["day"] is not None]
    return Answer(
        COLUMNS,
        rows_of(COLUMNS, said.causes),
        document_of(document),
        numbers=["intervals", "change"],
        title=f"{asked.channel or place}: what changed between {local(before, tz)} and {local(after, tz)}",
        notes=notes or ["Nothing changed."],
        exit_code=int(not all(one["adds_up"] for one in said.totals)),
    )


def known_then(total: dict[str, Any]) -> list[str]:
    """Say what share of the due values was measured, and of the known ones estimated, at both moments."""
    shares = {
        name: [total[f"{side}_{name}"] for side in ("before", "after")] for name in ("coverage", "estimated_share")
    }
    if all(one is None for one in shares["coverage"]):
        return []
    said = [
        f"{name.replace('_', ' ')} {' -> '.join('-' if one is None else f'{one:.1%}' for one in both)}"
        for name, both in shares.items()
    ]
    return [f"({', '.join(said)})"]
