"""The connection to the broker by which dwellings are told to Home Assistant: what it keeps, and what comes in."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from gmqtt import Client, Message, Subscription
from gmqtt.mqtt.handler import MQTTConnectError

from quintet.ingest.mqtt_client import NEVER, BrokerAddress

from .home_assistant import OFFLINE, ONLINE, STATUS, TOP, Limits

_SILENT = logging.getLogger("quintet.home_assistant.silent")
_SILENT.disabled = True
Taken = Callable[[str, bytes, bool], None]
"""Told of a message: topic, payload, whether it was kept by the broker."""


class Link:
    """One connection, used once; `lost` is set when it is over. By our will the broker says when we are gone."""

    def __init__(self, address: BrokerAddress, limits: Limits, taken: Taken) -> None:
        """Prepare; must be made in the loop that uses it."""
        self.lost = asyncio.Event()
        self._address, self._limits, self._taken = address, limits, taken
        will = Message(STATUS, OFFLINE, qos=1, retain=True)
        self._client: Any = Client(address.client_id, clean_session=True, will_message=will, logger=_SILENT)
        self._client.set_config({"reconnect_retries": NEVER, "reconnect_delay": 0})
        if address.username:
            self._client.set_auth_credentials(address.username, address.password)
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect

    async def open(self) -> None:
        """Connect and subscribe; raises OSError or TimeoutError where that fails, a refusal included."""
        where = self._address
        try:
            async with asyncio.timeout(self._limits.patience_s):
                await self._client.connect(
                    where.host, where.port, ssl=where.tls or False, keepalive=self._limits.keepalive_s
                )
        except MQTTConnectError as error:
            raise ConnectionRefusedError(f"the broker refuses {where.username or 'us'}: {error}") from error
        self._client.subscribe([Subscription(f"{TOP}/#", qos=1, no_local=True)])
        self.keep(STATUS, ONLINE.encode())

    def keep(self, topic: str, payload: bytes) -> None:
        """Publish what the broker is to keep; nothing: what it keeps goes."""
        if not self.lost.is_set():
            self._client.publish(topic, payload, qos=1, retain=True)

    async def close(self) -> None:
        """Say that we are gone, and go."""
        if not self.lost.is_set():
            self.keep(STATUS, OFFLINE.encode())
            await asyncio.sleep(0)
            await self._client.disconnect()
            self.lost.set()

    async def _on_message(self, _client: Any, topic: str, payload: bytes, _qos: int, properties: Any) -> int:
        self._taken(topic, bytes(payload), bool(properties.get("retain")))
        return 0

    def _on_disconnect(self, *_: Any) -> None:
        self.lost.set()
