"""What a way back to an older store version loses, in words."""

from quintet.store.schema import VERSIONS

LOST = {
    2: "the record of Idempotency-Keys (a delivery that is sent again is answered anew: its readings are duplicates), "
    "what became of quarantined rows (all are open again), and the fields that sources sent (drift)",
    3: "the events that were stated (outages and the like), the audit chain, what runs over whole days found, and the "
    "queue of exceptions",
}
"""What stands in a version and not in the one before it; a version that is not named here loses nothing by it."""


def said_of_way_back(before: int, after: int) -> list[str]:
    """Say what is gone after a store was taken from one version to an older one, and how long it stays there."""
    if after >= before:
        return []
    lost = [LOST[version] for version in range(before, after, -1) if version in LOST]
    return [
        "Every reading is kept. " + (f"Gone: {'; '.join(lost)}." if lost else "Nothing else is gone either."),
        f"Install the older Quintet now: any command of this one on this city brings it to version {len(VERSIONS)} "
        "again, without what is gone.",
    ]
