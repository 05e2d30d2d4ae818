"""The resident's page is built from its sources only when they change, and its lock names versions, not machines."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def build(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", root / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_holds_versions_and_digests_and_no_address(root: Path) -> None:
    text = (root / "frontend/package-lock.json").read_text(encoding="utf-8")
    assert not re.search(r"https?://|\"resolved\"", text)
    rows = {name: row for name, row in json.loads(text)["packages"].items() if name}
    assert len(rows) > 30
    assert all(row["version"] and row["integrity"].startswith("sha512-") for row in rows.values())
    assert "omit-lockfile-registry-resolved=true" in (root / "frontend/.npmrc").read_text(encoding="utf-8")


def test_a_digest_follows_names_and_contents(build: ModuleType, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("x")
    two.write_text("y")
    first = build.digest_of([one, two], tmp_path)
    assert build.digest_of([one, two], tmp_path) == first
    two.write_text("z")
    assert build.digest_of([one, two], tmp_path) != first
    two.write_text("y")
    assert build.digest_of([one, two.rename(tmp_path / "three")], tmp_path) != first


def test_a_page_that_stands_from_these_sources_is_not_built_again(build: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "frontend/src").mkdir(parents=True)
    (tmp_path / "frontend/src/main.ts").write_text("1")
    (tmp_path / "frontend/node_modules").mkdir()
    (tmp_path / "frontend/node_modules/other.js").write_text("2")
    page = tmp_path / build.PAGE
    page.mkdir(parents=True)
    colours = tmp_path / build.COLOURS
    colours.write_text(":root { --ink: #000; }")
    wanted = build.digest_of([tmp_path / "frontend/src/main.ts", colours], tmp_path)
    (page / build.STAMP).write_text(wanted)
    assert build.lay_page(tmp_path) is False
    colours.write_text(":root { --ink: #111; }")
    with pytest.raises((RuntimeError, FileNotFoundError)):  # no lock to build it by
        build.lay_page(tmp_path)
    colours.write_text(":root { --ink: #000; }")
    (tmp_path / "frontend/src/main.ts").write_text("3")
    with pytest.raises((RuntimeError, FileNotFoundError)):  # no lock to build it by
        build.lay_page(tmp_path)


def test_no_sources_are_an_error_not_an_empty_page(build: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no sources"):
        build.lay_page(tmp_path)
