"""The environment in which a test starts the program: as it is installed, and without what the tests' own one says."""

import os
from pathlib import Path

import quintet as package

SOURCE = Path(package.__file__).parents[1]
AS_INSTALLED = Path(__file__).with_name("as_installed")
"""Stands before what is installed for tests alone; importing it takes a sixth of a command's start."""


def environment(**more: str) -> dict[str, str]:
    """Give the environment, with no settings of the person who runs the tests; `more` goes over it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("QUINTET_")}
    # the tests start the program a thousand times: one thread for matrices that it does not have is enough
    path = os.pathsep.join(map(str, (AS_INSTALLED, SOURCE)))
    return {**clean, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": path, **more}
