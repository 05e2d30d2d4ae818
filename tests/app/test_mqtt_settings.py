"""What [mqtt] may say, and what is refused in words."""

from pathlib import Path
from typing import Any

import pytest

from quintet.app.mqtt_settings import PASSWORD, check_filter, parse_broker, read_mqtt, stable_id
from quintet.terms.errors import BadInput, CityError, UsageError


def read(folder: Path, table: dict[str, Any], **environment: str) -> Any:
    return read_mqtt(table, folder, environment, "quintet.toml [mqtt]")


def test_the_defaults_are_a_plain_subscription_to_our_own_topics(tmp_path: Path) -> None:
    found = read(tmp_path, {"host": "b"})
    assert (found.host, found.port, found.doors) == ("b", 1883, 1)
    assert found.subscriptions() == (["quintet/v1/#"], ["$share/quintet/quintet/v1/#"])
    assert read(tmp_path, {"doors": 2}).subscriptions() == (["$share/quintet/quintet/v1/#"], ["quintet/v1/#"])
    assert read(tmp_path, {"tls_ca": "ca"}).port == 8883


def test_a_password_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("secret\nnot this\n")
    table = {"username": "u", "password_file": "word"}
    assert read(tmp_path, table).password == "secret"
    assert read(tmp_path, table, **{PASSWORD: "other"}).password == "other"
    with pytest.raises(CityError, match="no such file"):
        read(tmp_path, {**table, "password_file": "nowhere"})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"hots": "b"}, "hots"),
        ({"port": "1883"}, "port"),
        ({"port": 70000}, "70000"),
        ({"doors": 0}, "doors = 0"),
        ({"tls_cert": "c"}, "tls_cert needs"),
        ({"topics": ["a/#/b"]}, "no topic filter"),
        ({"topics": ["$share/x/a"]}, "no topic filter"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, table: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        read(tmp_path, table)


@pytest.mark.parametrize("topic", ["#", "a/+/b", "tele/+/SENSOR", "+"])
def test_topic_filters_are_taken(topic: str) -> None:
    check_filter(topic, "here")


def test_brokers_are_read() -> None:
    assert parse_broker("b:1884") == ("b", 1884)
    assert parse_broker("b") == ("b", 0)
    assert parse_broker("[::1]:1884") == ("::1", 1884)
    assert parse_broker("[::1]") == ("::1", 0)
    for text in ("", ":1", "b:", "b:x", "b:0"):
        with pytest.raises(UsageError):
            parse_broker(text)


def test_the_name_of_a_city_at_its_broker_stays(tmp_path: Path) -> None:
    first = stable_id(tmp_path)
    assert first == stable_id(tmp_path)
    assert len(first) == 12
    assert [file.name for file in tmp_path.iterdir()] == ["mqtt-id"]
