"""What is known of devices' clocks, for V01: offsets that somebody measured and stated as events.

The doors set aside what a clock that is off by an interval or more sends (`clock_off`); a smaller offset is kept
nowhere by them, since a late message is no wrong clock. Head-ends that read their meters' clocks state what they find:
`quintet event add --kind clock_offset --channel C --detail 4min`.
"""

import numpy as np
import pyarrow as pa

from quintet.pipeline.rows import I64
from quintet.terms.clock_offset import offset_us_of
from quintet.vee import Block
from quintet.vee.beside import NOTHING

STATED = "clock_offset"
"""The kind of event that states how far a device's clock is off."""


class Clocks:
    """Offsets as stated, by channel: from, until and the device's clock less the true one (us)."""

    def __init__(self, events: pa.Table) -> None:
        """Read the events that stand (store.events); one that says no offset tells nothing."""
        self._stated: dict[int, list[tuple[int, int, int]]] = {}
        for row in events.to_pylist():
            offset = offset_us_of(row["detail"]) if row["kind"] == STATED and row["channel"] is not None else None
            if offset is not None:
                until = row["until_us"] if row["until_us"] is not None else 2**62
                self._stated.setdefault(row["channel"], []).append((row["from_us"], until, offset))

    def of(self, block: Block) -> I64 | None:
        """Give the largest offset of each row while a block lasted, NOTHING where none was stated; None for none."""
        out = np.full(len(block.channels), NOTHING, np.int64)
        for row, number in enumerate(block.channels.tolist()):
            said = [
                offset
                for low, high, offset in self._stated.get(number, ())
                if low < block.end_us and high > block.start_us
            ]
            if said:
                out[row] = max(said, key=abs)
        return out if (out != NOTHING).any() else None
