"""Topic patterns: literal levels, {name} for one level, {name+} for some; the most literal pattern that fits wins."""

import re
from dataclasses import dataclass

from quintet.terms.errors import BadInput

LEVEL = re.compile(r"\{([a-z_]+)(\+?)\}")
LAST = 9


@dataclass(frozen=True, slots=True)
class Pattern:
    """A topic pattern: how it is written, what it matches and its rank among patterns (lower first)."""

    text: str
    expression: re.Pattern[str]
    rank: tuple[int, ...]
    names: frozenset[str]


def pattern(text: str, place: str) -> Pattern:
    """Read a pattern. Raises BadInput for a level that is neither plain nor one {name}."""
    parts: list[str] = []
    rank: list[int] = []
    names: list[str] = []
    for level in text.split("/"):
        found = LEVEL.fullmatch(level)
        if found is None and (not level or set(level) & set("{}+#")):
            raise BadInput(
                f"has the level {level!r} in {text!r}.",
                code="bad_topic",
                place=place,
                remedy="A level is plain text, {name} for any one level, or {name+} for one or more.",
            )
        if found is None:
            parts.append(re.escape(level))
            rank.append(0)
            continue
        names.append(found[1])
        parts.append(f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})")
        rank.append(2 if found[2] else 1)
    if rank.count(2) > 1:
        raise BadInput(f"has two {{name+}} in {text!r}.", code="bad_topic", place=place, remedy="Keep one of them.")
    if len(set(names)) != len(names):
        raise BadInput(f"names a level twice in {text!r}.", code="bad_topic", place=place, remedy="Name each once.")
    return Pattern(text, re.compile("/".join(parts), re.DOTALL), (*rank, LAST), frozenset(names))
