"""Flags beat the environment, the environment beats quintet.toml, that beats the default."""

from pathlib import Path

import pytest

from quintet.app.settings import DEFAULT_PORT, check_port, city_folder, read_settings
from quintet.terms.errors import BadInput, CityError, UsageError


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path)
    assert (settings.city, settings.format, settings.port) == (None, "table", DEFAULT_PORT)


def test_the_file_is_read_and_the_environment_beats_it(tmp_path: Path) -> None:
    (tmp_path / "quintet.toml").write_text('city = "naju"\nformat = "csv"\nport = 9000\n')
    settings = read_settings({}, tmp_path)
    assert (settings.city, settings.format, settings.port) == (tmp_path / "naju", "csv", 9000)
    environment = {"QUINTET_CITY": "/srv/x", "QUINTET_FORMAT": "json", "QUINTET_PORT": "0"}
    settings = read_settings(environment, tmp_path)
    assert (settings.city, settings.format, settings.port) == (Path("/srv/x"), "json", 0)


def test_the_environment_names_another_file(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("port = 1234\n")
    assert read_settings({"QUINTET_CONFIG": str(other)}, tmp_path / "nowhere").port == 1234


@pytest.mark.parametrize(
    ("text", "code"), [('citty = "x"', "bad_row"), ("port = ", "bad_toml"), ('format = "xml"', "bad_format")]
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "quintet.toml").write_text(text)
    with pytest.raises((BadInput, UsageError)) as refused:
        read_settings({}, tmp_path)
    assert refused.value.code == code


@pytest.mark.parametrize("text", ["", "-1", "65536", "http", "80.5"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        check_port(text)


def test_a_city_is_a_folder_with_its_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QUINTET_CITY", raising=False)
    monkeypatch.delenv("QUINTET_CONFIG", raising=False)
    with pytest.raises(UsageError, match=r"--city DIR or in QUINTET_CITY"):
        city_folder(None)
    with pytest.raises(CityError, match=r"no such folder"):
        city_folder(tmp_path / "none")
    with pytest.raises(CityError, match=r"has no city\.toml"):
        city_folder(tmp_path)
    (tmp_path / "city.toml").write_text("")
    assert city_folder(Path()) == tmp_path
    monkeypatch.setenv("QUINTET_CITY", str(tmp_path))
    assert city_folder(None) == tmp_path
