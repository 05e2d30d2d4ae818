"""The collector is held back while building, and given back as it was."""

import gc

import pytest

from quintet.registry.bulk import uncollected


@uncollected()
def fail_while_building() -> None:
    assert not gc.isenabled()
    raise KeyError


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_as_it_was_afterwards(was_on: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if was_on else gc.disable)()
        with pytest.raises(KeyError):
            fail_while_building()
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()
