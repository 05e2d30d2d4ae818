"""The house itself: its arrows hold and its guards refuse, the lock is a lock, a missing real part is never silent."""

import re
import shutil
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

ARROWS = {
    "app": {
        *("access", "alerts", "ingest", "jobs", "ledger", "pipeline", "protocols", "registry", "simulate", "store"),
        *("tariffs", "terms", "vee", "views", "web"),
    },
    "web": {"views", "terms"},
    "views": {"access", "ledger", "tariffs", "terms"},
    "alerts": {"access", "ledger", "tariffs", "terms"},
    "jobs": {"pipeline", "access", "registry", "store", "vee", "ledger", "tariffs", "terms"},
    "ingest": {"protocols", "pipeline", "terms"},
    "pipeline": {"registry", "vee", "store", "terms"},
    "access": {"registry", "store", "terms"},
    "registry": {"store", "terms"},
    "store": {"terms"},
    "protocols": {"terms"},
    "vee": {"terms"},
    "ledger": {"terms"},
    "tariffs": {"terms"},
    "simulate": {"terms"},
    "terms": set[str](),
}
"""Who may import whom: the table of the design, written down a second time so that the linter's rules are proved."""

LONGEST_FILE = 500
Lint = Callable[[], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def tree(root: Path, tmp_path: Path) -> Path:
    """Copy the package and its rules, each room there."""
    shutil.copy(root / "pyproject.toml", tmp_path)
    shutil.copytree(root / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ARROWS:
        room = tmp_path / "src" / "quintet" / name / "__init__.py"
        room.parent.mkdir(exist_ok=True)
        room.touch()
    return tmp_path


@pytest.fixture
def lint(tree: Path) -> Lint:
    """Give a function that runs the linter of imports on the copy."""
    program = Path(sys.executable).with_name("lint-imports")

    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [program, "--no-cache", "--no-logo"],
            cwd=tree,
            env={"PYTHONPATH": str(tree / "src"), "PATH": "/usr/bin:/bin", "COLUMNS": "400"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def packages(root: Path) -> set[str]:
    """Name the packages that exist."""
    return {path.name for path in (root / "src" / "quintet").iterdir() if path.is_dir() and path.name != "__pycache__"}


def add_imports(tree: Path, pairs: set[tuple[str, str]]) -> None:
    """Write one module for each pair (importer, imported)."""
    for importer, imported in pairs:
        module = tree / "src" / "quintet" / importer / f"guard_{imported}.py"
        module.write_text(f'"""Planted."""\n\nimport quintet.{imported}\n\n__all__ = ["quintet"]\n', encoding="utf-8")


def pairs_of(*, allowed: bool) -> set[tuple[str, str]]:
    """List the pairs of packages that may, or may not, import each other."""
    return {(a, b) for a in ARROWS for b in ARROWS if a != b and (b in ARROWS[a]) is allowed}


def test_every_package_is_a_room_of_the_design(root: Path) -> None:
    assert packages(root) == ARROWS.keys()
    for name in packages(root):
        assert (root / "src" / "quintet" / name / "__init__.py").is_file(), f"{name} is invisible to the linter"


def test_the_tree_as_it_stands_keeps_the_arrows(lint: Lint) -> None:
    done = lint()
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_arrow_of_the_design_is_allowed(tree: Path, lint: Lint) -> None:
    add_imports(tree, pairs_of(allowed=True))
    done = lint()
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_other_arrow_is_refused(tree: Path, lint: Lint) -> None:
    forbidden = pairs_of(allowed=False)
    assert len(forbidden) > 100
    add_imports(tree, forbidden)
    done = lint()
    assert done.returncode == 1, done.stdout + done.stderr
    seen = set(re.findall(r"quintet\.(\w+)\.guard_\w+ -> quintet\.(\w+)", done.stdout))
    assert forbidden <= seen, sorted(forbidden - seen)


def test_an_unlisted_package_is_refused(tree: Path, lint: Lint) -> None:
    attic = tree / "src" / "quintet" / "attic"
    attic.mkdir()
    (attic / "__init__.py").write_text('"""Planted."""\n', encoding="utf-8")
    done = lint()
    assert done.returncode == 1
    assert "attic" in done.stdout


def test_a_codec_that_opens_a_socket_is_refused(tree: Path, lint: Lint) -> None:
    module = tree / "src" / "quintet" / "protocols" / "guard_socket.py"
    module.write_text('"""Planted."""\n\nimport socket\n\n__all__ = ["socket"]\n', encoding="utf-8")
    done = lint()
    assert done.returncode == 1
    assert "guard_socket" in done.stdout


def faults_of_lock(text: str) -> list[str]:
    """Say what a lock lacks: a hash for each pin, and no address anywhere."""
    faults = [f"an address: {line}" for line in text.splitlines() if re.search(r"://|--(?!hash=)|@|file:", line)]
    entries = re.split(r"\n(?=\S)", text.strip())
    faults += [
        f"no hash: {entry.splitlines()[0]}" for entry in entries if not re.search(r"--hash=sha256:\w{64}", entry)
    ]
    faults += [f"no pin: {entry.splitlines()[0]}" for entry in entries if not re.match(r"[\w.-]+==[\w.]+", entry)]
    return faults


def test_the_lock_pins_everything_by_hash_and_holds_no_address(root: Path) -> None:
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    assert text.count("==") > 30
    assert faults_of_lock(text) == []
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.split(r"[^\w-]", line)[0].lower() for line in asked}
    assert {name for name in names if f"\n{name}==" not in f"\n{text}"} == set()


@pytest.mark.parametrize(
    "text",
    [
        "--index-url https://example.org/simple\na==1 \\\n    --hash=sha256:" + "0" * 64,
        "a==1\nb==2 \\\n    --hash=sha256:" + "0" * 64,
        "a>=1 \\\n    --hash=sha256:" + "0" * 64,
        "a @ file:///a.whl \\\n    --hash=sha256:" + "0" * 64,
    ],
)
def test_a_lock_that_is_none_is_refused(text: str) -> None:
    assert faults_of_lock(text)


def faults_of_files(folder: Path) -> list[str]:
    """Name the source files that are too long or whose name says nothing."""
    paths = sorted(folder.rglob("*.py"))
    faults = [] if paths else [f"{folder} holds no source"]
    for path in paths:
        if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE:
            faults.append(f"{path} is longer than {LONGEST_FILE} lines")
        if re.search(r"util|helper|common|misc", path.relative_to(folder).as_posix()):
            faults.append(f"{path} says nothing by its name")
    return faults


def test_source_files_are_short_and_named_for_what_they_do(root: Path) -> None:
    assert faults_of_files(root / "src") == []


def test_a_long_file_an_empty_name_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    assert faults_of_files(tmp_path)
    (tmp_path / "utils.py").write_text("", encoding="utf-8")
    (tmp_path / "long.py").write_text("pass\n" * (LONGEST_FILE + 1), encoding="utf-8")
    assert len(faults_of_files(tmp_path)) == 2


def test_a_missing_real_part_is_skipped_at_home_and_fails_in_ci(
    need: Callable[[Path | str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no-such-program.*a guard"):
        need("no-such-program", "a guard")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"no-such-file.*a guard"):
        need(tmp_path / "no-such-file", "a guard")
    assert need(tmp_path, "is there") == tmp_path


BENCHMARKS = sorted(Path(__file__).parent.rglob("bench_*.py"))


def test_there_are_benchmarks_beside_the_tests() -> None:
    assert BENCHMARKS


@pytest.mark.parametrize("script", BENCHMARKS, ids=lambda script: script.stem)
def test_a_benchmark_still_runs_at_its_smallest(script: Path, root: Path) -> None:
    done = subprocess.run(
        [sys.executable, script, "100"],
        cwd=root,
        env={"PYTHONPATH": str(root / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_readme_names_every_room(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    assert {name for name in packages(root) if f"`{name}`" not in text} == set()


def test_a_warning_fails_a_test() -> None:
    with pytest.raises(UserWarning, match="planted"):
        warnings.warn("planted", stacklevel=1)


def test_the_changelog_knows_the_version_and_the_decisions_are_numbered(root: Path) -> None:
    version = re.search(r'__version__ = "(.+)"', (root / "src/quintet/__init__.py").read_text(encoding="utf-8"))
    assert version
    assert f"## {version.group(1)}" in (root / "CHANGELOG.md").read_text(encoding="utf-8")
    numbers = sorted(path.name[:4] for path in (root / "docs" / "decisions").glob("*.md"))
    assert numbers == [f"{n + 1:04d}" for n in range(len(numbers))]
    assert numbers
