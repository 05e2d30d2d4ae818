"""File handles are shared out so that the store and the doors keep theirs, however few there are."""

import resource
import subprocess
import sys

import pytest
from tests.program import environment

from quintet.app.handles import shared_out
from quintet.app.serving_limits import serving_limits

PROGRAM = """
import resource
from quintet.app.handles import raised
from quintet.app.serving_limits import serving_limits
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
found = raised(6000, serving_limits())
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], found.connections, found.listeners)
"""


@pytest.mark.parametrize("handles", [64, 256, 1024, 4096, 6768, 100_000])
def test_the_store_and_the_doors_keep_theirs(handles: int) -> None:
    limits = serving_limits()
    found = shared_out(handles, 6_000, limits)
    own, doors = handles - found.connections, found.connections - found.listeners
    assert own >= min(limits.own_handles, handles // 2)
    assert doors >= min(limits.door_connections, (handles - own) // 2) > 0
    assert 0 < found.listeners <= 6_000
    assert (found.listeners == 6_000) == (handles >= 6_768)


@pytest.mark.parametrize(("soft", "hard"), [(256, 256), (256, 2_000), (256, 4_096)])
def test_the_bound_is_raised_as_far_as_the_system_lets_it(soft: int, hard: int) -> None:
    system = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert system == resource.RLIM_INFINITY or system >= hard
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(soft=soft, hard=hard)],
        capture_output=True, text=True, timeout=120, check=True,
        env=environment(),
    )  # fmt: skip
    now, connections, listeners = map(int, done.stdout.split())
    assert now == min(hard, 6_768)
    assert listeners < connections < now
