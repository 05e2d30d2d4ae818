"""The tree of places: ways up and down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.registry.tree import ROOT, Tree
from quintet.store.records import ALWAYS


def tree(**parents: str | None) -> Tree:
    bodies = {
        place: None if parent is None else {"parent": parent, "level": "complex" if parent == ROOT else "building"}
        for place, parent in parents.items()
    }
    return Tree({place: ((ALWAYS, body),) for place, body in bodies.items()})


def test_ways_up_and_down() -> None:
    places = tree(a="city", b="a", c="a", d="city")
    assert places.path("b") == ["b", "a", "city"]
    assert places.descendants("a") == {"a", "b", "c"}
    assert list(places.walk("city")) == ["city", "a", "b", "c", "d"]
    assert places.nearest("b", "complex") == "a"
    assert places.nearest("b", "district") == "b", "where there is none, the place itself"


def test_a_place_that_ended_is_gone() -> None:
    places = tree(a="city", b=None)
    assert "a" in places
    assert "b" not in places


@pytest.mark.parametrize("place", ["city", "nowhere"])
def test_a_place_without_a_parent_is_its_own_path(place: str) -> None:
    assert tree().path(place) == [place]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30))
def test_descendants_are_those_whose_path_goes_through(parents: list[int]) -> None:
    names = {f"p{n}": "city" if parent >= n else f"p{parent}" for n, parent in enumerate(parents)}
    places = tree(**names)
    for place in places.bodies:
        assert places.descendants(place) == {other for other in places.bodies if place in places.path(other)}
    assert places.descendants("city") == set(places.bodies)
