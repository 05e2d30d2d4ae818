"""The table of a balance: one row per period, commodity and quantity of a place."""

import pyarrow as pa

from quintet.terms.tables import FLOW_NAMES, MOMENT, SUM

CLOSURE = "closure_error"

BALANCE = pa.schema(
    [
        pa.field("start", MOMENT, nullable=False),
        pa.field("place", pa.string(), nullable=False),
        pa.field("commodity", pa.string(), nullable=False),
        pa.field("quantity", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        *[pa.field(name, SUM) for name in (*FLOW_NAMES, CLOSURE)],
        pa.field("derived", pa.list_(pa.string()), nullable=False),
        pa.field("absent", pa.list_(pa.string()), nullable=False),
        pa.field("coverage", pa.float64()),
        pa.field("estimated_share", pa.float64()),
        pa.field("least_known", pa.float64()),
        pa.field("reason", pa.string()),
    ]
)
"""Amounts are sub-units (null: not known); `unit` names the unit in which people read them, `derived` the flows that no
meter gave, `absent` those that are 0 because no channel of theirs stands. `coverage` is null where nothing is expected,
`estimated_share` where nothing arrived. `least_known` is the known share of the term that is known least (null: nothing
is expected). `reason` says why a residual (a derived flow, closure_error) or what it rests on is not told; or, of a row
that is told, that less than nothing was made here."""
MINUTES = "minutes"
"""A further column of BALANCE, where it is asked for: see balance.minutes_column."""
