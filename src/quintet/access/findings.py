"""What was found of values, for one reader: of a channel, or of all channels of a place, that are his to see."""

import numpy as np
import numpy.typing as npt

from quintet.registry import Registry


def channels_at(registry: Registry, place: str) -> npt.NDArray[np.int32]:
    """Give the numbers of the channels that stand at a place or below, in order."""
    inside = registry.descendants(place)
    numbers = registry.channel_ids.values()
    return np.array(sorted(number for number in numbers if registry.place_of(number) in inside), np.int32)
