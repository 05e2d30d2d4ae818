"""Lays the Korean font of reports beside their layout: at a build of the wheel, at an editable install, or run by hand.

The font, Nanum Gothic (SIL Open Font License 1.1), is not committed. It is taken from an installed package that carries
it; without one the build fails rather than make reports that nobody can read.
"""

import shutil
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "koreanize-matplotlib"
FONTS = ("NanumGothic.ttf", "NanumGothicBold.ttf")
FOLDER = Path("src/quintet/app/data/fonts")


def lay_fonts(root: Path) -> None:
    """Copy the fonts that are not there yet; raises RuntimeError where their package is missing or lacks one."""
    folder = root / FOLDER
    missing = [name for name in FONTS if not (folder / name).is_file()]
    if not missing:
        return
    try:
        files = {path.name: path.locate() for path in distribution(PACKAGE).files or ()}
    except PackageNotFoundError as error:
        raise RuntimeError(f"{PACKAGE}, which carries the Korean font of reports, is not installed") from error
    folder.mkdir(parents=True, exist_ok=True)
    for name in missing:
        if name not in files:
            raise RuntimeError(f"{PACKAGE} carries no {name}")
        shutil.copyfile(str(files[name]), folder / name)


class FontHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before a wheel is made, editable ones too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Lay the fonts; `artifacts` of the target take them in."""
        lay_fonts(Path(self.root))


if __name__ == "__main__":
    try:
        lay_fonts(Path(__file__).parent)
    except RuntimeError as error:
        sys.exit(str(error))
