"""One question, one plain answer: what the pages, the API and the reports say of a city."""

from .questions import Questions

__all__ = ["Questions"]
