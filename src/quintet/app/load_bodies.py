"""Parcels as the doors take them: JSON by columns or by rows, JSON lines, Arrow; and a concentrator's MQTT message."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec
import numpy as np
import pyarrow as pa

from quintet.simulate.stream import Parcel
from quintet.terms.tables import MOMENT

Form = Literal["columns", "rows", "lines", "arrow"]
FORMS: tuple[Form, ...] = get_args(Form)
_JSON = msgspec.json.Encoder()

Names = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Bodies:
    """Writes parcels of a city's meters in one form; `media_type` is what the request says."""

    media_type: str
    write: Callable[[Parcel], bytes]


def bodies(form: Form, names: Names) -> Bodies:
    """Give what writes parcels in a form."""
    writer = _Writer(names)
    media_type, write = {
        "columns": ("application/json", writer.columns),
        "rows": ("application/json", writer.rows),
        "lines": ("application/x-ndjson", writer.lines),
        "arrow": ("application/vnd.apache.arrow.stream", writer.arrow),
    }[form]
    return Bodies(media_type, write)


class _Writer:
    """Knows the names once as lists and once as Arrow words."""

    def __init__(self, names: Names) -> None:
        self._sites = np.array([site for site, _ in names], np.object_)
        self._meters = np.array([meter for _, meter in names], np.object_)
        self._site_words = pa.array(self._sites.tolist(), pa.string())
        self._meter_words = pa.array(self._meters.tolist(), pa.string())

    def _lists(self, parcel: Parcel) -> dict[str, list[object] | str]:
        sites = self._sites[parcel.name].tolist()
        single = all(site == sites[0] for site in sites)
        return {
            "site": sites[0] if single else sites,
            "meter": self._meters[parcel.name].tolist(),
            "ts_us": parcel.at_us.tolist(),
            "value": parcel.value.tolist(),
        }

    def columns(self, parcel: Parcel) -> bytes:
        return _JSON.encode({"columns": self._lists(parcel)})

    def _each(self, parcel: Parcel) -> list[dict[str, object]]:
        rows = zip(
            self._sites[parcel.name].tolist(),
            self._meters[parcel.name].tolist(),
            parcel.at_us.tolist(),
            parcel.value.tolist(),
            strict=True,
        )
        return [{"site": s, "meter": m, "ts_us": at, "value": value} for s, m, at, value in rows]

    def rows(self, parcel: Parcel) -> bytes:
        return _JSON.encode({"readings": self._each(parcel)})

    def lines(self, parcel: Parcel) -> bytes:
        return _JSON.encode_lines(self._each(parcel))

    def arrow(self, parcel: Parcel) -> bytes:
        """Write a stream whose dictionaries hold only the names that occur."""
        table = pa.Table.from_arrays(
            [
                self._site_words.take(pa.array(parcel.name)).dictionary_encode(),
                self._meter_words.take(pa.array(parcel.name)).dictionary_encode(),
                pa.array(parcel.at_us).view(MOMENT),
                pa.array(parcel.value),
            ],
            ["site", "meter", "ts_utc", "value"],
        )
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        return sink.getvalue().to_pybytes()


def mqtt_messages(names: Names) -> Callable[[Parcel], tuple[str, bytes]]:
    """Give what writes a parcel of one site as topic and payload: one reading by its meter, several by columns."""

    def write(parcel: Parcel) -> tuple[str, bytes]:
        site, meter = names[int(parcel.name[0])]
        if len(parcel) == 1:
            said = {"value": float(parcel.value[0]), "ts_us": int(parcel.at_us[0])}
            return f"quintet/v1/{site}/{meter}", _JSON.encode(said)
        columns = {
            "meter": [names[number][1] for number in parcel.name.tolist()],
            "ts_us": parcel.at_us.tolist(),
            "value": parcel.value.tolist(),
        }
        return f"quintet/v1/{site}", _JSON.encode({"columns": columns})

    return write
