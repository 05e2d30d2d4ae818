"""Starts the real program."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import quintet as package

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def quintet() -> Run:
    """Give a function that runs `quintet WORDS...` to its end; warnings are errors there too."""

    def run(*words: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("QUINTET_")}
        clean["PYTHONPATH"] = str(Path(package.__file__).parents[1])
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "quintet.app", *words],
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**clean, **environment},
            timeout=120,
            check=False,
        )

    return run
