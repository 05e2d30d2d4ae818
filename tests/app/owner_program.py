"""A small owner for the tests: claims FOLDER, answers, and ends when told on stdin.

    python owner_program.py FOLDER [serve|command]

Prints `owner`, or `held` and ends with 3. Requests: `echo TEXT`, `sleep SECONDS` (with progress), `fail`, `crash`,
`write NAME` (makes FOLDER/NAME.begun, half a second later NAME); what the command line asks is answered with this pid.
"""

import os
import sys
import time
from pathlib import Path

import msgspec

from quintet.app.answer import Answer, Progress, Step
from quintet.app.owner import Role, claim
from quintet.app.requests import Summary, pack
from quintet.terms.errors import NotFound

FOLDER = Path(sys.argv[1])
ROLE: Role = "serve" if sys.argv[2:] == ["serve"] else "command"


def handle(payload: bytes, progress: Progress) -> bytes:
    """Answer the requests named above."""
    if payload == pack(Summary()):
        return msgspec.msgpack.encode(Answer(["pid"], [[str(os.getpid())]], b"{}", exit_code=1))
    word, _, rest = payload.decode().partition(" ")
    if word == "sleep":
        end = time.monotonic() + float(rest)
        while (left := end - time.monotonic()) > 0:
            progress(Step("sleeping", int(float(rest) - left)))
            time.sleep(0.02)
    elif word == "write":
        (FOLDER / f"{rest}.begun").touch()
        time.sleep(0.5)
        (FOLDER / rest).write_text("done")
    elif word == "fail":
        raise NotFound("no such channel.", code="no_channel", place="a/b", remedy="Try another.")
    elif word == "crash":
        raise ZeroDivisionError("unforeseen")
    return payload


def main() -> int:
    """Own until stdin ends or says a line."""
    owner = claim(FOLDER, ROLE)
    if owner is None:
        print("held", flush=True)
        return 3
    owner.listen(handle, address="http://127.0.0.1:1" if ROLE == "serve" else "")
    print("owner", flush=True)
    sys.stdin.readline()
    owner.stop(patience_s=5.0)
    owner.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
