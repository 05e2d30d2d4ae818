"""Data tables: unknown keys are refused by name, and a file that is no TOML by file and line."""

from pathlib import Path

import pytest

from quintet.terms.catalogue import check_keys, numbers_of, read_toml, read_toml_file
from quintet.terms.errors import BadInput


def test_keys_that_are_missing_or_unknown_are_named() -> None:
    check_keys({"a": 1, "b": 2}, required={"a"}, optional={"b", "c"}, place="row 1")
    check_keys({"a": 1}, required={"a"}, optional=set(), place="row 1")
    with pytest.raises(BadInput) as caught:
        check_keys({"b": 1, "x": 2, "y": 3}, required={"a"}, optional={"b"}, place="row 7")
    assert str(caught.value) == "row 7: lacks a and holds unknown x, y. Known keys are a, b."


def test_shipped_tables_are_found_and_others_are_not() -> None:
    assert "unit" in read_toml("quintet.terms", "units.toml")
    with pytest.raises(FileNotFoundError):
        read_toml("quintet.terms", "nothing.toml")


@pytest.mark.parametrize("content", [b"a = \n", b"[x", b"\xff\xfea", b"a = 1\na = 2\n"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "city.toml"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="no valid TOML") as caught:
        read_toml_file(path)
    assert caught.value.place == str(path)


def test_a_users_file_is_read_as_utf_8(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_bytes('name = "나주"\n'.encode())
    assert read_toml_file(tmp_path / "city.toml") == {"name": "나주"}


def test_limits_are_the_named_ones_each_with_its_reason() -> None:
    row = {"value": 3, "source": "measured", "why": "it is enough"}
    assert numbers_of({"limit": {"most": row}}, ["most"], "here") == {"most": 3}
    unreasoned = {"value": 3, "source": "measured"}
    for limits, said in (
        ({}, "lacks most"),
        ({"most": row, "x": row}, "unknown x"),
        ({"most": unreasoned}, "lacks why"),
    ):
        with pytest.raises(BadInput, match=said):
            numbers_of({"limit": limits}, ["most"], "here")
