"""The proof that nothing acknowledged is lost or doubled: each reading of a load's file is looked for in the store."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Registry
from quintet.store.engine import Snapshot
from quintet.store.read import quoted
from quintet.terms.amount import MAX_MANTISSA, decimals_of
from quintet.terms.errors import BadInput
from quintet.terms.length import DAY_US
from quintet.terms.period import from_us

from .answer import Answer, Progress, Step, document_of
from .cells import rows_of
from .city import City
from .load_acks import read_acks
from .requests import LoadVerify

NAMED = 10
"""Readings of each fault that are named; all are counted."""
COLUMNS = ["fault", "channel", "at", "value"]
Numbers = npt.NDArray[np.int64]


@dataclass(slots=True)
class Proof:
    """What was found: readings looked for, once there, and those that are not, by fault and by name.

    One that was acknowledged again counts once in `distinct`, unless millions of others came between.
    """

    acknowledged: int = 0
    distinct: int = 0
    once: int = 0
    faults: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("missing", "doubled", "differing"), 0))
    named: list[dict[str, str]] = field(default_factory=list[dict[str, str]])


def load_verify(city: City, asked: LoadVerify, progress: Progress) -> Answer:
    """Prove that each acknowledged reading stands in the raw readings once; exit code 1 when one does not.

    Looked through are all versions, in the hot tables and in the lake: `missing` has no raw reading of its channel and
    moment, `differing` has one of another amount only, `doubled` stands there more than once.
    """
    proof = Proof()
    registry = city.registry()
    with city.engine.snapshot() as snapshot:
        for acked in read_acks(Path(asked.file)):
            _look(city, registry, snapshot, acked, proof)
            progress(Step("readings looked for", proof.acknowledged))
    if not proof.acknowledged:
        raise BadInput(
            "holds no acknowledged reading: it proves nothing.",
            code="no_acks",
            place=asked.file,
            remedy="See what the door answered.",
        )
    faulty = sum(proof.faults.values())
    document = {
        "acknowledged": proof.acknowledged,
        "distinct": proof.distinct,
        "once": proof.once,
        **proof.faults,
        "named": proof.named,
    }
    counts = ", ".join(f"{count:,} {what}" for what, count in proof.faults.items())
    note = (
        f"{proof.acknowledged:,} readings were acknowledged, {proof.once:,} distinct ones stand there once; {counts}."
    )
    return Answer(
        COLUMNS, rows_of(COLUMNS, proof.named), document_of(document), notes=[note], exit_code=int(bool(faulty))
    )


def _look(city: City, registry: Registry, snapshot: Snapshot, acked: pa.Table, proof: Proof) -> None:
    """Look for one table of acknowledged readings."""
    proof.acknowledged += acked.num_rows
    table, names = _named(registry, acked)
    table = table.group_by(["channel", "at_us", "value"], use_threads=False).aggregate([])
    proof.distinct += table.num_rows
    amount = table["value"].to_numpy()
    found, same = _found(city, snapshot, table)
    faults = {"missing": found == 0, "differing": (found > 0) & (same == 0), "doubled": same > 1}
    proof.once += int((same == 1).sum())
    for what, hit in faults.items():
        proof.faults[what] += int(hit.sum())
        rows = np.flatnonzero(hit)[: max(0, NAMED - sum(row["fault"] == what for row in proof.named))]
        for row in rows.tolist():
            channel = table["channel"][row].as_py()
            proof.named.append(
                {
                    "fault": what,
                    "channel": names[channel],
                    "at": from_us(table["at_us"][row].as_py()).isoformat(),
                    "value": repr(float(amount[row])),
                }
            )


def _named(registry: Registry, acked: pa.Table) -> tuple[pa.Table, dict[int, str]]:
    """Give readings with their channel's number; a meter that the registry does not know gets a negative one."""
    site, meter = acked["site"].combine_chunks(), acked["meter"].combine_chunks()
    sites, meters = site.dictionary.to_pylist(), meter.dictionary.to_pylist()
    key = site.indices.to_numpy().astype(np.int64) * len(meters) + meter.indices.to_numpy()
    distinct, which = np.unique(key, return_inverse=True)
    channel = np.zeros(len(distinct), np.int32)
    names: dict[int, str] = {}
    for place, packed in enumerate(distinct.tolist()):
        label = (sites[packed // len(meters)], meters[packed % len(meters)])
        known = registry.lookup.get(label)
        channel[place] = known[0] if known else -place - 1
        names[int(channel[place])] = "/".join(label)
    shift = np.array([registry.shift_days(int(c)) if c >= 0 else 0 for c in channel], np.int64) * DAY_US
    at_us = acked["at"].cast(pa.int64()).to_numpy() + shift[which]
    columns = {"channel": pa.array(channel[which]), "at_us": pa.array(at_us), "value": acked["value"]}
    return pa.table(columns), names


def _found(city: City, snapshot: Snapshot, table: pa.Table) -> tuple[Numbers, Numbers]:
    """Count, for each reading, the raw rows of its channel and moment, and those of the same amount."""
    low, high = (int(edge.as_py()) for edge in pc.min_max(table["at_us"]).values())
    paths = snapshot.lake_paths("raw", city.engine.day_of(low), city.engine.day_of(high))
    source = "select channel, at_us, mantissa, exponent from raw where at_us between $1 and $2"
    if paths:
        source += f""" union all select channel, epoch_us("at"), mantissa, exponent::tinyint
            from read_parquet({quoted(paths)}) where "at" between make_timestamptz($1) and make_timestamptz($2)"""
    mantissa, exponent, _ = decimals_of(table["value"].to_numpy())
    numbered = pa.table(
        {**{name: table[name] for name in table.column_names}, "mantissa": mantissa, "exponent": exponent}
    ).append_column("row", pa.array(np.arange(table.num_rows)))
    # A door may keep zeros at the end (1.50): then the doubles are the same, for dividing two exact ones gives the one
    # that the decimal means.
    same = f"""(r.mantissa = w.mantissa and r.exponent = w.exponent) or (abs(r.mantissa) < {MAX_MANTISSA} and
        case when r.exponent <= 0 then r.mantissa::double / pow(10.0, -r.exponent)
        else r.mantissa::double * pow(10.0, r.exponent) end = w.value)"""
    counted = snapshot.arrow(
        f"""select w.row, count(r.channel) as found, count(*) filter (where {same}) as same
            from wanted_readings w left join ({source}) r on r.channel = w.channel and r.at_us = w.at_us
            group by w.row order by w.row""",
        [low, high],
        {"wanted_readings": numbered},
    )
    return counted["found"].to_numpy(), counted["same"].to_numpy()
