"""`vee findings`: why values are doubtful."""

from typing import Any

import msgspec

from quintet.access import EVERYTHING
from quintet.vee import Rules
from quintet.views import Questions
from quintet.views.answers import Finding
from quintet.views.findings import RuleWords

from .answer import Answer, Progress, document_of
from .cells import plain, rows_of
from .city import City
from .requests import VeeFindings

COLUMNS = ["channel", "rule", "severity", "marks", "from", "to", "verdict", "figures", "by", "batch", "stated_at"]


def rule_words(rules: Rules) -> dict[str, RuleWords]:
    """Give what is said of the rules in force, by id."""
    return {one.id: RuleWords(one.name_en, one.name_ko, one.severity, one.doubts) for one in rules.rules}


def vee_findings(city: City, asked: VeeFindings, _progress: Progress) -> Answer:
    """List what rules and runs found of a channel or a place. Raises what the question does."""
    questions = Questions(city.access(EVERYTHING), now=city.now, rules=rule_words(city.rules))
    found = questions.findings(
        asked.start, asked.end, channel=asked.channel, place=asked.place, rule=asked.rule, known_at=asked.known_at,
        limit=asked.limit, cursor=asked.cursor,
    )  # fmt: skip
    rows = [_row(one) for one in found.findings]
    cells = [{**row, "figures": " ".join(f"{name}={said}" for name, said in row["figures"].items())} for row in rows]
    document = {"known_at": found.known_at, "total": found.total, "next_cursor": found.next_cursor, "findings": rows}
    more = f"There are more: --cursor {found.next_cursor}."
    notes = [f"{len(rows)} of {found.total} are listed. {more}"] if found.next_cursor else []
    title = f"{found.total} findings"
    return Answer(COLUMNS, rows_of(COLUMNS, cells), document_of(plain(document)), notes=notes, title=title)


def _row(one: Finding) -> dict[str, Any]:
    """Give a finding by the names that it has outside."""
    named = {"start": "from", "end": "to"}
    return {named.get(name, name): value for name, value in msgspec.structs.asdict(one).items()}
