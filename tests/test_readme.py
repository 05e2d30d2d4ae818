"""The README and its Korean twin name the same commands in the same order."""

import re
from pathlib import Path

COMMAND = re.compile(r"(?m)^    (.+?) *(?:#.*)?$")


def commands(path: Path) -> list[str]:
    """Give the commands of a README without what is said of them."""
    return [line.strip() for line in COMMAND.findall(path.read_text(encoding="utf-8"))]


def test_both_readmes_name_the_same_commands(root: Path) -> None:
    english, korean = commands(root / "README.md"), commands(root / "README.ko.md")
    assert len(english) > 20
    assert english == korean
    for name, other in (("README.md", "README.ko.md"), ("README.ko.md", "README.md")):
        assert f"]({other})" in (root / name).read_text(encoding="utf-8")
