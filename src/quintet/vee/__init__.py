"""Validate and estimate intervals: arrays in, qualities and values out; a rule is a row of data and one function."""

from .alike import LikeDays, like_days
from .block import Block, Findings, Gaps, Kind, Traits, find_gaps, spans
from .estimation import estimate
from .rulebook import Rule, Rules, rules
from .validation import validate

__all__ = [
    "Block",
    "Findings",
    "Gaps",
    "Kind",
    "LikeDays",
    "Rule",
    "Rules",
    "Traits",
    "estimate",
    "find_gaps",
    "like_days",
    "rules",
    "spans",
    "validate",
]
