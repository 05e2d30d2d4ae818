"""Why values are doubtful: what rules and runs found of them, with the figures that they used."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from quintet.access import Access
from quintet.terms.errors import UsageError
from quintet.terms.period import Span, from_us

from .answers import Finding, Findings
from .asked import cursor_after, cursor_start
from .city_day import ROOT

COMMIT, RUN = "commit", "run"
Key = tuple[int, int, str, int]
"""What orders findings: where they begin (us), channel, rule, where they end."""


@dataclass(frozen=True, slots=True)
class RuleWords:
    """What is said of a rule in force: its names, its severity, and whether its findings mark values."""

    name_en: str
    name_ko: str
    severity: str
    marks: bool


UNNAMED = RuleWords("", "", "", marks=False)
"""What a run tells apart without a rule: holes, silent channels, meters at zero."""


def list_findings(
    access: Access,
    words: Mapping[str, RuleWords],
    asked: tuple[str | None, str | None, str | None],
    span: Span,
    *,
    limit: int,
    cursor: str | None,
    tz: ZoneInfo,
) -> Findings:
    """List what touches a span, oldest first.

    `asked` is a channel, or a place (neither: the city), and perhaps a rule. Raises UsageError where both channel and
    place are given and for a cursor of another question, NotFound and Forbidden for either.
    """
    channel, place, rule = asked
    if channel is not None and place is not None:
        raise UsageError(
            "findings are those of one channel or of one place.",
            code="bad_findings",
            place="channel",
            remedy="Name a channel or a place, not both.",
        )
    moment, table = access.findings(channel, place or ROOT, span)
    names = {number: name for name, number in access.registry().channel_ids.items()}
    rows = [row for row in table.to_pylist() if rule in (None, row["rule"])]
    question = [*asked, str(span.start_us), str(span.end_us)]
    last = cursor_start(question, cursor)
    left = [row for row in rows if key_of(row) > key_at(last)] if last else rows
    following = key_text(left[limit - 1]) if len(left) > limit else None
    out: list[Finding] = []
    for row in left[:limit]:
        said = words.get(row["rule"], UNNAMED)
        start, end, stated = (local(row[name], tz) for name in ("from_us", "until_us", "stated_us"))
        by = RUN if row["verdict"] else COMMIT
        out.append(
            Finding(
                names.get(row["channel"], ""), row["rule"], said.name_en, said.name_ko, said.severity, said.marks,
                start, end, row["verdict"], json.loads(row["detail"]), by, row["batch"], stated,
            )
        )  # fmt: skip
    more = None if following is None else cursor_after(question, following)
    return Findings(local(moment, tz), len(rows), more, out)


def key_of(row: Mapping[str, Any]) -> Key:
    """Give what orders findings; no two have the same."""
    return row["from_us"], row["channel"], row["rule"], row["until_us"]


def key_text(row: Mapping[str, Any]) -> str:
    """Write what orders findings as a text."""
    return msgspec.json.encode(key_of(row)).decode()


def key_at(text: str) -> Key:
    """Read what `key_text` wrote. Raises UsageError for anything else."""
    try:
        return msgspec.json.decode(text, type=Key)
    except msgspec.MsgspecError as error:
        raise UsageError(
            "that cursor is none.", code="bad_cursor", place="cursor", remedy="Take `next_cursor` of the page before."
        ) from error


def local(moment_us: int, tz: ZoneInfo) -> datetime:
    """Give a moment on the city's clock."""
    return from_us(moment_us).astimezone(tz)
