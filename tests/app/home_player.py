"""A Home Assistant at a real broker, as far as discovery goes: it listens, says it is up, and keeps what it hears."""

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

from tests.broker import Broker

TOP = "quintet/home"


class Player:
    """Comes in with a dwelling's token, by mosquitto's own client; `kept` is the newest payload of each topic."""

    def __init__(self, broker: Broker, user: str, word: str, topic: str = "") -> None:
        """Listen to the dwelling's topics, or to others."""
        self.user, self._broker, self._word = user, broker, word
        self.kept: dict[str, str] = {}
        self.seen: list[tuple[str, str]] = []
        topics = [topic] if topic else [f"{TOP}/{user}/#", f"{TOP}/status"]
        command = ["mosquitto_sub", "-V", "5", "-p", str(broker.port), "-u", user, "-P", word, "-q", "1", "-F", "%t %p"]
        self._process = subprocess.Popen(
            [*command, *(word for one in topics for word in ("-t", one))],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            topic, _, payload = line.rstrip("\n").partition(" ")
            self.kept[topic] = payload
            self.seen.append((topic, payload))

    def up(self) -> int:
        """Say that it has come up; gives how the broker took it."""
        return self.say(f"{TOP}/{self.user}/homeassistant/status", "online")

    def say(self, topic: str, payload: str) -> int:
        command = ["mosquitto_pub", "-V", "5", "-p", str(self._broker.port), "-u", self.user, "-P", self._word]
        done = subprocess.run([*command, "-q", "1", "-t", topic, "-m", payload], check=False, capture_output=True)
        return done.returncode

    def device(self) -> dict[str, Any] | None:
        """Give the device as it was discovered; None where there is none."""
        return next((json.loads(found) for topic, found in self.kept.items() if found and is_config(topic)), None)

    def state(self) -> dict[str, Any]:
        found = self.kept.get(f"{TOP}/{self.user}/state", "")
        return json.loads(found) if found else {}

    def value(self, key: str) -> Any:
        """Give what a sensor shows: its template is a path into the state."""
        device = self.device()
        assert device is not None
        path = device["components"][key]["value_template"].strip("{} ").split(".")
        assert path[0] == "value_json"
        found: Any = self.state()
        for word in path[1:]:
            found = found[word]
        return found

    def available(self) -> bool:
        """Tell whether Home Assistant shows values: they came, and all its availability topics say online."""
        device = self.device()
        return (
            device is not None
            and bool(self.state())
            and all(self.kept.get(one["topic"]) == "online" for one in device["availability"])
        )

    def ended(self) -> bool:
        """Tell whether the broker has sent it away."""
        return self._process.poll() is not None

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


def is_config(topic: str) -> bool:
    """Tell whether a topic is of a device's discovery."""
    return "/homeassistant/device/" in topic and topic.endswith("/config")


def pid_file(broker: Broker) -> Path:
    """Write which process the broker is, as mosquitto's own `pid_file` does."""
    path = broker.folder / "mosquitto.pid"
    path.write_text(str(broker.pid), encoding="ascii")
    return path
