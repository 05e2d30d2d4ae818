"""Validate and estimate intervals: arrays in, qualities and values out; a rule is a row of data and one function."""

from .alike import LikeDays, like_days
from .beside import NOTHING, Beside, Use, fact
from .block import Block, Findings, Gaps, Kind, Traits, find_gaps, spans
from .checks_state import device_flags, flag_bits
from .estimation import estimate, estimate_with
from .guess import Known, Others
from .order import Order, shipped_order
from .period import judge_period
from .rulebook import Rule, Rules, rules
from .validation import validate
from .verdict import Verdict, candidates, judge_sample

__all__ = [
    "NOTHING",
    "Beside",
    "Block",
    "Findings",
    "Gaps",
    "Kind",
    "Known",
    "LikeDays",
    "Order",
    "Others",
    "Rule",
    "Rules",
    "Traits",
    "Use",
    "Verdict",
    "candidates",
    "device_flags",
    "estimate",
    "estimate_with",
    "fact",
    "find_gaps",
    "flag_bits",
    "judge_period",
    "judge_sample",
    "like_days",
    "rules",
    "shipped_order",
    "spans",
    "validate",
]
