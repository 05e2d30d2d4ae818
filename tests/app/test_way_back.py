"""What a way back loses is said for each version that has one."""

from quintet.app.way_back import LOST, said_of_way_back
from quintet.store.schema import DOWN, VERSIONS


def test_each_version_that_can_be_taken_back_says_what_that_loses() -> None:
    assert LOST.keys() <= DOWN.keys()
    for version in DOWN:
        said = said_of_way_back(version, version - 1)
        assert ("Gone: " in said[0]) == (version in LOST)
        assert f"version {len(VERSIONS)}" in said[1]


def test_a_way_up_loses_nothing() -> None:
    assert said_of_way_back(1, 2) == said_of_way_back(2, 2) == []
