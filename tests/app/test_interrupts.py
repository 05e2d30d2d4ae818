"""Ctrl-C ends a command also where the first interrupt was swallowed."""

import signal
import subprocess
import sys

SWALLOWS = """
import signal, sys, time
from quintet.app.interrupts import hear, heard
hear()
swallowed = 0
while True:
    try:
        if not swallowed:
            print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        swallowed += 1
        if swallowed == 2:
            heard()
            break
time.sleep(1.5)  # nothing more is said
print(swallowed)
"""


def test_an_interrupt_that_was_swallowed_is_said_again_until_it_is_heard() -> None:
    words = [sys.executable, "-W", "error", "-c", SWALLOWS]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "2\n", "")


AT_WORK = """
import sys, time
from quintet.app import cli
def work(**_):
    print("ready", flush=True)
    try:
        time.sleep(60)
    except KeyboardInterrupt:  # as the store's library does, where it notices it within a query
        raise RuntimeError("Query interrupted") from None
cli.build = lambda: work
sys.exit(cli.main())
"""


def test_an_interrupt_that_a_library_says_in_its_own_words_is_no_error() -> None:
    words = [sys.executable, "-W", "error", "-c", AT_WORK]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")
