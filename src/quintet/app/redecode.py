"""Decodes what a door could not decode once more: by the mappings that the city has now."""

import pyarrow as pa

from quintet.pipeline.replay import Decode
from quintet.protocols.payloads import decode_original, load_mappings
from quintet.protocols.payloads.originals import SOURCE
from quintet.terms.tables import QUARANTINE

from .belongings import mappings_of
from .city import City


def decoder(city: City) -> Decode:
    """Give what decodes the original of a quarantined row: a message with its topic, or one row as it was received.

    Raises BadInput for a mapping of the city that cannot be read.
    """
    mappings = load_mappings(mappings_of(city.folder))

    def decode(source: str, original: str) -> tuple[pa.Table, pa.Table]:
        found = decode_original(original, mappings, source=source)
        # a row that is as bad as before keeps its reason: it was found with the whole file or body in sight
        whole = source.startswith(SOURCE) or found.readings.num_rows
        return found.readings, found.refused if whole else QUARANTINE.empty_table()

    return decode
