"""Places, usage points, meters, channels and people, all dated: what the city is, as known at any batch."""

from .changes import Exchange, exchange, move_in, move_out, rewire
from .register import Registration, from_dataset
from .rows import Channel, Facility, Feeder, Meter, Occupancy, Plant, Storage
from .settings import apply_settings
from .snapshot import CitySettings, Registry
from .sync import Change, SyncDifference, sync

__all__ = [
    "Change",
    "Channel",
    "CitySettings",
    "Exchange",
    "Facility",
    "Feeder",
    "Meter",
    "Occupancy",
    "Plant",
    "Registration",
    "Registry",
    "Storage",
    "SyncDifference",
    "apply_settings",
    "exchange",
    "from_dataset",
    "move_in",
    "move_out",
    "rewire",
    "sync",
]
