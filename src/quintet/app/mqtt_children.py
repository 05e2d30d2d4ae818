"""The doors that `serve` starts: one process each, started again when it ends, ended with its parent."""

import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

FIRST_WAIT_S = 0.5
MOST_WAIT_S = 30.0
STEADY_S = 60.0
"""A door that ran so long is started again at once."""
LOOK_S = 0.2
END_S = 10.0


@dataclass(slots=True)
class _Child:
    number: int
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    wait_s: float = FIRST_WAIT_S
    next_s: float = 0.0


class MqttChildren:
    """Keeps `count` door processes of a city running between `start` and `stop`."""

    def __init__(self, folder: Path, count: int, broker: str) -> None:
        """Prepare; `broker` is HOST:PORT where the settings do not say it ("": they do)."""
        self._command = [sys.executable, *(f"-W{word}" for word in sys.warnoptions), "-m", "quintet.app"]
        self._command += ["door", "mqtt", "--city", str(folder), "--attached"]
        self._command += ["--broker", broker] if broker else []
        self._children = [_Child(number) for number in range(count)]
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="mqtt-doors", daemon=True)

    def start(self) -> None:
        """Start them all."""
        self._thread.start()

    def stop(self) -> None:
        """End them: each finishes what the owner has in hand, so the owner must still take parcels."""
        self._ending.set()
        self._thread.join()
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close_pipe(process)

    def pids(self) -> list[int]:
        """Give the process ids of the doors that run now."""
        return [child.process.pid for child in self._children if child.process and child.process.poll() is None]

    def _keep(self) -> None:
        while True:
            now = time.monotonic()
            for child in self._children:
                self._look(child, now)
            if self._ending.wait(LOOK_S):
                return

    def _look(self, child: _Child, now: float) -> None:
        if child.process is not None and child.process.poll() is not None:
            _close_pipe(child.process)
            child.process = None
            child.wait_s = FIRST_WAIT_S if now - child.started_s > STEADY_S else min(2 * child.wait_s, MOST_WAIT_S)
            child.next_s = now + child.wait_s
        if child.process is None and now >= child.next_s:
            child.started_s = now
            child.process = subprocess.Popen([*self._command, "--number", str(child.number)], stdin=subprocess.PIPE)


def _close_pipe(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
