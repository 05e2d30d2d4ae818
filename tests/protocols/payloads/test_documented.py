"""The document's examples are read as it says, and it names every code and format."""

import re
from pathlib import Path

import pytest

from quintet.protocols.faults import CODES
from quintet.protocols.payloads import MEDIA_TYPES, decode_body, load_mappings, shipped_limits


@pytest.fixture
def text(root: Path) -> str:
    return (root / "docs" / "payloads.md").read_text(encoding="utf-8")


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.+?)```", text, re.DOTALL)


def test_every_json_example_is_read_whole(text: str) -> None:
    examples = blocks(text, "json")
    assert len(examples) == 4
    assert [decode_body(one.encode(), "application/json").readings.num_rows for one in examples] == [1, 1, 2, 3]


def test_the_toml_example_loads(text: str, tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(blocks(text, "toml")[0], encoding="utf-8")
    route = load_mappings([path]).route("acme/tower/h7/telegram")
    assert route is not None
    assert route.site == "tower"


def test_codes_media_types_and_bounds_are_named(text: str) -> None:
    files_only = {"", "wrong_columns", "broken_quote"}
    assert {code for code in CODES if code not in files_only and f"`{code}`" not in text} == set()
    assert {media for media in MEDIA_TYPES if media not in text} == set()
    assert f"{shipped_limits().rows:,} readings" in text
