"""The doors that `serve` starts: one process each, started again when it ends, ended with its parent."""

import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .serving_limits import serving_limits


@dataclass(frozen=True, slots=True)
class ChildState:
    """How the process of a door is: whether it runs, how it ended when it last did, and how often it was started."""

    name: str
    runs: bool
    exit_code: int | None
    starts: int

    @property
    def reason(self) -> str:
        """Say why the door is down: not yet up, or ended."""
        if self.exit_code is None:
            return "is starting"
        again = "it is being started again" if self.runs else "it is started again in a while"
        return f"ended with code {self.exit_code} after start {self.starts - self.runs}; {again}"


@dataclass(slots=True)
class _Child:
    number: int
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    wait_s: float = 0.0
    next_s: float = 0.0
    starts: int = 0
    exit_code: int | None = None


class MqttChildren:
    """Keeps `count` door processes of a city running between `start` and `stop`."""

    def __init__(self, folder: Path, count: int, broker: str) -> None:
        """Prepare; `broker` is HOST:PORT where the settings do not say it ("": they do)."""
        self.broker = broker
        self._command = [sys.executable, *(f"-W{word}" for word in sys.warnoptions), "-m", "quintet.app"]
        self._command += ["door", "mqtt", "--city", str(folder), "--attached"]
        self._command += ["--broker", broker] if broker else []
        self._children = [_Child(number) for number in range(count)]
        self._limits = serving_limits()
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
                process.wait(self._limits.child_end_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close_pipe(process)

    def pids(self) -> list[int]:
        """Give the process ids of the doors that run now."""
        return [child.process.pid for child in self._children if child.process and child.process.poll() is None]

    def states(self) -> list[ChildState]:
        """Say how each door's process is; may be asked by any thread."""
        return [
            ChildState(f"mqtt-{child.number}", child.process is not None, child.exit_code, child.starts)
            for child in self._children
        ]

    def _keep(self) -> None:
        while True:
            now = time.monotonic()
            for child in self._children:
                self._look(child, now)
            if self._ending.wait(self._limits.child_look_ms / 1000):
                return

    def _look(self, child: _Child, now: float) -> None:
        limits, code = self._limits, child.process.poll() if child.process is not None else None
        if child.process is not None and code is not None:
            _close_pipe(child.process)
            child.process, child.exit_code = None, code
            steady = now - child.started_s > limits.child_steady_s
            first_s = limits.child_first_wait_ms / 1000
            child.wait_s = first_s if steady or not child.wait_s else min(2 * child.wait_s, limits.child_most_wait_s)
            child.next_s = now + child.wait_s
        if child.process is None and now >= child.next_s:
            child.started_s = now
            child.starts += 1
            child.process = subprocess.Popen([*self._command, "--number", str(child.number)], stdin=subprocess.PIPE)


def _close_pipe(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
