"""Fuzzes one decoder with coverage from atheris: `fuzz_program.py DECODER RUNS FOLDER [replay]`.

Runs in a process of its own, because the fuzzer ends it. FOLDER takes the examples and what the fuzzer finds; each line
printed is the figures so far. With `replay` no fuzzer runs, whose own memory grows with its finds: the found inputs are
decoded, as they are and changed at random, RUNS in all, and memory is compared between WARM of them and the last.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import atheris

from quintet.terms.errors import BadInput

if sys.argv[4:] == ["replay"]:
    from decoders import DECODERS, check
else:
    with atheris.instrument_imports(include=["quintet.protocols"]):
        from decoders import DECODERS, check

WARM = 100_000
"""Runs of a replay after which memory counts: caches of topics, types and allocators are filled by then."""
LONGEST = 4096
TOLD = 50_000
GROUP = 40


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
        self.count = self.taken = self.warm_kb = self.longest = 0
        self.longest_s = 0.0
        self.began = time.monotonic()

    def one(self, data: bytes) -> None:
        """Try one input, and prove what must hold of all; print the figures now and then."""
        began = time.process_time()
        self.taken += check(self.decoder, data) is not None
        self.ended([data], time.process_time() - began)

    def only_decode(self, group: list[bytes]) -> None:
        """Try inputs, all at once where they are messages, without proving anything of what they give."""
        began = time.process_time()
        if self.decoder.many is not None:
            self.taken += self.decoder.many(group).readings.num_rows
            self.ended(group, time.process_time() - began)
            return
        for data in group:
            try:
                self.decoder.decode(data)
            except BadInput:
                pass
            else:
                self.taken += 1
        self.ended(group, time.process_time() - began)

    def ended(self, group: list[bytes], seconds: float) -> None:
        """Count inputs."""
        self.longest = max([self.longest, *map(len, group)])
        self.longest_s = max(self.longest_s, seconds)
        before = self.count
        self.count += len(group)
        warm = min(WARM, self.runs // 10)
        if before < warm <= self.count:
            self.warm_kb = resident_kb()
        if self.count == self.runs or before // TOLD < self.count // TOLD:
            figures = {
                "decoder": self.name,
                "executions": self.count,
                "taken": self.taken,
                "longest": self.longest,
                "longest_s": round(self.longest_s, 3),
                "warm_kb": self.warm_kb,
                "last_kb": resident_kb(),
                "seconds": round(time.monotonic() - self.began, 1),
            }
            print(json.dumps(figures), flush=True)


def changed(found: list[bytes], runs: int) -> Iterator[bytes]:
    """Give inputs: each found one as it is, then with bits flipped, torn off, doubled or joined to another."""
    chance = random.Random(1)
    yield from found[:runs]
    for number in range(len(found), runs):
        data = bytearray(found[number % len(found)])
        for _ in range(chance.randrange(4)):
            if data:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        at, kind = chance.randrange(len(data) + 1), chance.randrange(4)
        if kind == 1:
            del data[at:]
        elif kind == 2:
            data[at:at] = data[at : at + 16]
        elif kind == 3:
            data[at:] = found[chance.randrange(len(found))][at:]
        yield bytes(data[:LONGEST])


def replay(run: Run, folder: Path) -> None:
    """Decode what stands in a folder, and changes of it."""
    found = [path.read_bytes() for path in sorted(folder.iterdir())]
    inputs = changed(found, run.runs)
    while group := list(islice(inputs, GROUP)):
        run.only_decode(group)


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
