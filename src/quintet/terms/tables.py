"""One Arrow table type per kind of record that crosses a package border."""

import pyarrow as pa

MOMENT = pa.timestamp("us", tz="UTC")
SUM = pa.decimal128(38, 0)
"""Sums over many channels: 64 bits would overflow for a country's mWh."""

READINGS = pa.schema(
    [
        pa.field("site", pa.string(), nullable=False),
        pa.field("meter", pa.string(), nullable=False),
        pa.field("at", MOMENT),
        pa.field("value", pa.float64()),
        pa.field("commodity", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("row", pa.int64(), nullable=False),
    ]
)
"""Decoded readings from a door: as the source named and numbered them; commodity and unit null where it did not say.
`row` is the line or record in the source, counted from 1, for messages."""

QUARANTINE = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("row", pa.int64()),
        pa.field("site", pa.string()),
        pa.field("meter", pa.string()),
        pa.field("code", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("original", pa.string(), nullable=False),
    ]
)
"""What could not be taken: where it stood, a stable code, a sentence for a person, and the original text (JSON)."""

CHANNELS = pa.schema(
    [
        pa.field("channel", pa.int32(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("site", pa.string(), nullable=False),
        pa.field("meter", pa.string(), nullable=False),
        pa.field("commodity", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("quantity", pa.string(), nullable=False),
        pa.field("value_kind", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("cadence_min", pa.int32(), nullable=False),
        pa.field("tz", pa.string(), nullable=False),
        pa.field("dials", pa.int32()),
        pa.field("multiplier", pa.string(), nullable=False),
        pa.field("plate_max", pa.string()),
        pa.field("installed", MOMENT),
        pa.field("removed", MOMENT),
        pa.field("usage_point", pa.string(), nullable=False),
        pa.field("balanced", pa.bool_(), nullable=False),
    ]
)
"""Every channel of the registry, one row each; what is dated stands in PLACEMENTS."""

OUTDOOR = pa.schema(
    [
        pa.field("place", pa.string(), nullable=False),
        pa.field("start", MOMENT, nullable=False),
        pa.field("minutes", pa.int32(), nullable=False),
        pa.field("temp_c", pa.float64(), nullable=False),
    ]
)
"""Measured outdoor temperatures: the place of the station, an interval's start and length, and the mean over it."""

PLACEMENTS = pa.schema(
    [
        pa.field("channel", pa.int32(), nullable=False),
        pa.field("place", pa.string(), nullable=False),
        pa.field("usage_point", pa.string(), nullable=False),
        pa.field("flow", pa.string(), nullable=False),
        pa.field("sign", pa.int8(), nullable=False),
        pa.field("commodity", pa.string(), nullable=False),
        pa.field("quantity", pa.string(), nullable=False),
        pa.field("renewable", pa.bool_(), nullable=False),
        pa.field("cadence_min", pa.int32(), nullable=False),
        pa.field("start_us", pa.int64(), nullable=False),
        pa.field("end_us", pa.int64(), nullable=False),
    ]
)
"""Which channel counts where, as which flow, from when until when (half-open). Rows that count nowhere are absent."""

PLACES = pa.schema(
    [
        pa.field("place", pa.string(), nullable=False),
        pa.field("parent", pa.string()),
        pa.field("level", pa.string(), nullable=False),
        pa.field("name_en", pa.string(), nullable=False),
        pa.field("name_ko", pa.string(), nullable=False),
        pa.field("floor_area_m2", pa.float64()),
    ]
)
"""The places tree: city > district > complex > building > premise."""

INTERVALS = pa.schema(
    [
        pa.field("channel", pa.int32(), nullable=False),
        pa.field("start", MOMENT, nullable=False),
        pa.field("value", pa.int64(), nullable=False),
        pa.field("quality", pa.uint8(), nullable=False),
    ]
)
"""Effective intervals: sub-units, named by their start."""

SERIES = pa.schema(
    [
        pa.field("start", MOMENT, nullable=False),
        pa.field("value", SUM),
        pa.field("quality", pa.uint8()),
        pa.field("coverage", pa.float64()),
        pa.field("estimated_share", pa.float64()),
    ]
)
"""One channel in asked-for periods: sub-units (null where nothing is known), the worst quality in it, its shares."""

DAILY = pa.schema(
    [
        pa.field("channel", pa.string(), nullable=False),
        pa.field("day", pa.date32(), nullable=False),
        pa.field("value", pa.int64()),
        pa.field("arrived", pa.int64(), nullable=False),
        pa.field("estimated", pa.int64(), nullable=False),
    ]
)
"""Daily sums of channels by name and local day: sub-units (null where nothing is known), and how many intervals."""

FLOWS = pa.schema(
    [
        pa.field("start", MOMENT, nullable=False),
        pa.field("commodity", pa.string(), nullable=False),
        pa.field("quantity", pa.string(), nullable=False),
        pa.field("flow", pa.string(), nullable=False),
        pa.field("renewable", pa.bool_(), nullable=False),
        pa.field("value", SUM),
        pa.field("expected_min", pa.int64(), nullable=False),
        pa.field("arrived_min", pa.int64(), nullable=False),
        pa.field("estimated_min", pa.int64(), nullable=False),
    ]
)
"""One place's metered flows per period, summed over channels: sub-units (null where no channel had a value), and the
channel-minutes expected, arrived (measured) and estimated."""

FLOW_NAMES = (
    "import",
    "local_generation",
    "conversion_in",
    "conversion_out",
    "storage_discharge",
    "storage_charge",
    "export",
    "consumption",
    "known_loss",
)
"""The flows of a balance row, in the order of the contract."""
FLOW_INDEX = {name: at for at, name in enumerate(FLOW_NAMES)}
"""The place of each flow in that order."""
