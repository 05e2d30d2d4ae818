"""kill -9 between commit and answer: the same key is answered the same, and every reading is there once.

3 kills by default; QUINTET_KILLS says how many times twenty.
"""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.program import environment

from quintet.pipeline.delivery import Outcome

from .group_program import delivery

PROGRAM = Path(__file__).with_name("group_program.py")
KILLS = max(int(os.environ.get("QUINTET_KILLS", "60")) // 20, 1)


def run_and_kill(city: Path, first: int, after_s: float) -> list[list[int]]:
    """Run the program, kill it some time after its first answer; give the numbers of each whole line it said."""
    command = [sys.executable, str(PROGRAM), str(city), str(first)]
    said: list[list[int]] = []
    timer: threading.Timer | None = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith("\n"):
                said.append([int(word) for word in line.split()[1:]])
            if timer is None and line.startswith("answered"):
                timer = threading.Timer(after_s, process.kill)
                timer.start()
        process.wait()
    assert timer is not None, "it ended before it was to be killed"
    timer.cancel()
    return said


def test_after_a_kill_the_same_key_is_answered_the_same(bench: Any) -> None:
    dice = random.Random(KILLS)
    bench.register(e=("electricity", "kWh", "interval_sum", 15))
    first = 0
    for _ in range(KILLS):
        bench.engine.close()
        said = run_and_kill(bench.folder, first, dice.random() * 0.3)
        bench.clock_us = time.time_ns() // 1000
        bench.__post_init__()
        answers = {line[0]: line[1:] for line in said if len(line) > 1}
        last = max(line[0] for line in said)
        for number in range(first, last + 1):
            (again,) = bench.pipeline.commit_group([delivery(number)])
            assert isinstance(again, Outcome)
            told = [again.batch, again.receipt.accepted, again.receipt.duplicate, again.receipt.quarantined]
            if number in answers:
                assert (again.repeated, told) == (True, answers[number])
            assert sum(told[1:]) == 3
        first = last + 1
    with bench.engine.snapshot() as snapshot:
        stored = snapshot.rows("select count(*), count(distinct at_us) from raw")
        aside = snapshot.rows("select count(*) from quarantine")
    assert stored == [(first, first)]
    assert aside == [(first,)]
