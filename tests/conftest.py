"""What all tests share: the checkout's folders, and one rule for a test whose real part is missing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
Need = Callable[[Path | str, str], Path]
IDLE_S = 60
"""How long a server in a test keeps an idle line: after uvicorn's 5 s a slow test would use one that just ends."""

settings.register_profile("quintet", deadline=None, print_blob=True)
settings.load_profile("quintet")


def find_real_part(part: Path | str, why: str) -> Path:
    """Find a file or folder (a Path) or a program (its name); without it skip with a reason, or fail where CI=true."""
    found = (part if part.exists() else None) if isinstance(part, Path) else shutil.which(part)
    if found is not None:
        return Path(found)
    reason = f"{part} is not here: {why}"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (CI=true: nothing may be skipped)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def need() -> Need:
    """Give `need(path_or_program, why)`, which every test of a real part calls before it starts."""
    return find_real_part


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the checkout's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder beside the checkout that holds measured data and vectors; their licences keep them out of it."""
    return find_real_part(ROOT.parent / "shared", "measured data and vectors stand beside the checkout")
