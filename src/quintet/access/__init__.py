"""Who may read what, when, for which purpose: the one read path for people's answers."""

from .changes import Change, Changes, Mark
from .day_sums import PlaceDays
from .feed import Feed, Watch
from .flows import FlowsAnswer
from .neighbours import Neighbours
from .reader import Access
from .scope import EVERYTHING, Scope
from .totals import Total

__all__ = [
    "EVERYTHING",
    "Access",
    "Change",
    "Changes",
    "Feed",
    "FlowsAnswer",
    "Mark",
    "Neighbours",
    "PlaceDays",
    "Scope",
    "Total",
    "Watch",
]
