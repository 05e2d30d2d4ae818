"""Fuzzes one decoder with coverage from atheris: `fuzz_program.py DECODER RUNS FOLDER [replay]`.

Runs in a process of its own, because the fuzzer ends it. FOLDER takes the examples and what the fuzzer finds. With
`replay` the found inputs are decoded again, RUNS in all and without the fuzzer, whose own memory grows with its finds.
"""

import json
import sys
import time
from pathlib import Path

import atheris

if sys.argv[4:] == ["replay"]:
    from decoders import DECODERS, check
else:
    with atheris.instrument_imports(include=["quintet.protocols"]):
        from decoders import DECODERS, check

WARM = 0.3
"""Share of the runs after which memory counts: caches of topics, types and allocators are filled by then."""
LONGEST = 4096


def resident_kb() -> int:
    """Give the process's resident memory."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


class Run:
    """Counts what one run did."""

    def __init__(self, name: str, runs: int) -> None:
        """Prepare to fuzz a decoder."""
        self.decoder = DECODERS[name]
        self.name, self.runs = name, runs
        self.count = self.taken = self.warm_kb = 0
        self.longest_s = 0.0
        self.began = time.monotonic()

    def one(self, data: bytes) -> None:
        """Try one input; after the last, print the figures."""
        began = time.process_time()
        self.taken += check(self.decoder, data) is not None
        self.longest_s = max(self.longest_s, time.process_time() - began)
        self.count += 1
        if self.count == int(self.runs * WARM):
            self.warm_kb = resident_kb()
        if self.count == self.runs:
            figures = {
                "decoder": self.name,
                "executions": self.count,
                "taken": self.taken,
                "longest_s": round(self.longest_s, 3),
                "warm_kb": self.warm_kb,
                "last_kb": resident_kb(),
                "seconds": round(time.monotonic() - self.began, 1),
            }
            print(json.dumps(figures), flush=True)


def replay(run: Run, folder: Path) -> None:
    """Decode what stands in a folder, again and again."""
    found = [path.read_bytes() for path in sorted(folder.iterdir())]
    for number in range(run.runs):
        run.one(found[number % len(found)])


def main() -> None:
    """Write the examples and fuzz."""
    name, runs, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    if sys.argv[4:] == ["replay"]:
        replay(Run(name, runs), folder)
        return
    for number, example in enumerate(DECODERS[name].examples):
        (folder / f"example-{number}").write_bytes(example)
    run = Run(name, runs)
    options = [f"-runs={runs + 1}", f"-max_len={LONGEST}", "-seed=1", "-rss_limit_mb=2048", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, str(folder)], run.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
