"""What a reader may see: the places he answers for, and who he is."""

from collections.abc import Set
from dataclasses import dataclass

from quintet.terms.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Scope:
    """A reader and the places whose data, and that of all places below, he may see; None means the whole city."""

    reader: str
    places: frozenset[str] | None

    def check(self, place: str, above: Set[str]) -> None:
        """Refuse a place that is neither granted nor below one that is; `above` is the place with all its ancestors."""
        if self.places is not None and not (self.places & above):
            raise Forbidden(
                "is not yours to read.",
                code="forbidden",
                place=place,
                remedy="Ask the city's operator for the right to it.",
            )


EVERYTHING = Scope("operator", None)
"""The operator at the machine itself: who can open the city's folder can read it all."""
