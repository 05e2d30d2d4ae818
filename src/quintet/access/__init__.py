"""Who may read what, when, for which purpose: the one read path for people's answers."""

from .flows import FlowsAnswer
from .reader import Access
from .scope import EVERYTHING, Scope

__all__ = ["EVERYTHING", "Access", "FlowsAnswer", "Scope"]
