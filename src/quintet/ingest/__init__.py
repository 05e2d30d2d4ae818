"""The doors: what comes in from outside is found, decoded and handed to the pipeline."""

from .deliver import commit_readings, ingest_dataset, register_meters
from .door import Door, Progress
from .files import Dataset, find, load_map, load_meters

__all__ = [
    "Dataset",
    "Door",
    "Progress",
    "commit_readings",
    "find",
    "ingest_dataset",
    "load_map",
    "load_meters",
    "register_meters",
]
