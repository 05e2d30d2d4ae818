"""What the published description says of live push: the address and the contents of its events."""

from typing import Any

from quintet.views.live import LiveAlerts, LiveBye, LiveIntervals, LiveReset

from .described import problem_of, schemas_of
from .parameters import Parameter

PLACE = Parameter("place", "The place to follow.", {"type": "string", "default": "city"})
LAST_EVENT_ID = Parameter("last_event_id", "As the Last-Event-ID header, for clients that cannot send one.")
CONTENTS = (LiveIntervals, LiveReset, LiveAlerts, LiveBye)
STREAM = """Server-sent events. `intervals` (LiveIntervals): what a commit changed. `reset` (LiveReset): read anew.
`alerts` (LiveAlerts): of a dwelling, ask for its alerts again; just before `intervals` it has no id of its own.
`bye` (LiveBye): the stream ends. An id without data says how far the listener is served; a comment is a heartbeat."""


SCHEMAS = schemas_of(CONTENTS)
PATHS: dict[str, Any] = {
    "/api/v1/live": {
        "get": {
            "summary": "What is committed at a place, as it is committed.",
            "operationId": "get_live",
            "parameters": [
                PLACE.published(),
                LAST_EVENT_ID.published(),
                {
                    "name": "Last-Event-ID",
                    "in": "header",
                    "required": False,
                    "description": "The last id that was received: all that changed since is told first.",
                    "schema": {"type": "string"},
                },
            ],
            "responses": {
                "200": {
                    "description": STREAM,
                    "content": {"text/event-stream": {"schema": {"type": "string"}}},
                },
                **{str(status): problem_of(status) for status in (400, 403, 404, 503)},
            },
        }
    }
}
