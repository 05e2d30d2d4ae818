"""The places tree: city > district > complex > building > premise."""

from collections.abc import Iterator, Mapping

from .timeline import Body, Timelines

ROOT = "city"
"""Id of the root place, and the `site` that means the city itself."""
LEVELS = ("city", "district", "complex", "building", "premise")


class Tree:
    """The places as last stated, with ways up and down. The root is always there."""

    def __init__(self, places: Timelines) -> None:
        """Build from the timelines of kind `place`; bodies hold level, parent, name_en, name_ko, floor_area_m2."""
        self.bodies: dict[str, Body] = {ROOT: {"level": LEVELS[0]}}
        for place, said in places.items():
            if said[-1][1] is not None:
                self.bodies[place] = said[-1][1]
        self._children: dict[str, list[str]] = {}
        for place, body in self.bodies.items():
            if place != ROOT:
                self._children.setdefault(body["parent"], []).append(place)

    def __contains__(self, place: object) -> bool:
        """Say whether a place exists."""
        return place in self.bodies

    def path(self, place: str) -> list[str]:
        """Give a place and the places above it, up to the root; a place that nobody described is its own path."""
        out = [place]
        body: Mapping[str, str] = self.bodies.get(place, {})
        while "parent" in body and body["parent"] not in out:
            out.append(body["parent"])
            body = self.bodies.get(body["parent"], {})
        return out

    def descendants(self, place: str) -> set[str]:
        """Give a place and all places below it."""
        return set(self.walk(place))

    def children(self, place: str) -> list[str]:
        """Give the places directly below one, in order of name."""
        return sorted(self._children.get(place, ()))

    def walk(self, place: str) -> Iterator[str]:
        """Give a place and all below it, parents before children, sisters in order of name."""
        open_places = [place]
        while open_places:
            here = open_places.pop()
            yield here
            open_places += sorted(self._children.get(here, ()), reverse=True)

    def nearest(self, place: str, level: str) -> str:
        """Give the place itself or the first above it that is of a level; the place itself when there is none."""
        return next((here for here in self.path(place) if self.bodies.get(here, {}).get("level") == level), place)
