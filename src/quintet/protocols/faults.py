"""Why a row cannot be taken: a stable code each, with a sentence for a person that ends in what to do."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.terms.tables import QUARANTINE

FAULTS = {
    "": "",
    "wrong_columns": "The row has more or fewer fields than the header. Mend the separators of the line.",
    "broken_quote": "A quotation mark opens here and runs over several lines. Close it, or double it where it is text.",
    "not_a_row": 'This is no row with named fields. Write {"site": ..., "meter": ..., "ts_utc": ..., "value": ...}.',
    "bad_word": "Site, meter, unit and commodity are texts; here one of them is something else. Write them as texts.",
    "other_site": "The row names another site than its topic or sender. Send it under the topic of its own site.",
    "no_meter": "The row names no site or no meter. Fill in both.",
    "two_times": "The row has both ts_utc and ts_us (or sent_at and sent_at_us). Keep one of the two.",
    "no_time": "The row has no time. Fill in ts_utc.",
    "naive_time": "The time has no offset, so it could mean several moments. Write it as 2025-01-31T12:00:00+09:00.",
    "bad_time": "The time cannot be read. Write it as 2025-01-31T12:00:00+09:00.",
    "no_value": "The row has no value. A missing reading is kept as missing, never as zero.",
    "bad_value": "The value is no number. Write digits with one decimal mark and no separators of thousands.",
    "not_finite": "The value is not a number or infinite. Leave it empty where the meter gave none.",
    "out_of_range": "The value is beyond 10^15: no meter shows it.",
    "too_precise": "The value has more digits than can be kept (15), and would be changed. Send it rounded.",
    "bad_clock": "The device's clock (sent_at) cannot be read. Write it as 2025-01-31T12:00:00+09:00 or leave it out.",
}
"""Sentences by code; where several hold of one row, the first here is named."""
NUMBER = {code: number for number, code in enumerate(FAULTS)}
CODES = list(FAULTS)

Marks = npt.NDArray[np.uint8]
"""One fault number a row; 0 where there is none."""


def as_json(row: dict[str, Any]) -> str:
    """Give a row as compact JSON; a number that JSON cannot hold becomes its word."""
    plain = {
        key: str(value) if isinstance(value, float) and not np.isfinite(value) else value for key, value in row.items()
    }
    return msgspec.json.encode(plain, enc_hook=str).decode()


def quarantine(name: str, rows: list[int], marks: Marks, originals: list[dict[str, Any]]) -> pa.Table:
    """Give rows that could not be taken as a QUARANTINE table: row numbers, their fault numbers, and the rows as read.

    `name` is the source. A row that lacks a site or meter has null there.
    """
    codes = [CODES[number] for number in marks.tolist()]
    return pa.table(
        {
            "source": [name] * len(rows),
            "row": rows,
            "site": [_text(row.get("site")) for row in originals],
            "meter": [_text(row.get("meter")) for row in originals],
            "code": codes,
            "reason": [FAULTS[code] for code in codes],
            "original": [as_json(row) for row in originals],
        },
        schema=QUARANTINE,
    )


def _text(value: object) -> str | None:
    return None if value is None or not str(value).strip() else str(value).strip()
