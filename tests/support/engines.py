"""A Docker engine on another machine: a proxy in front of this one's, whose connections can break.

docker exec takes a stream for complete if its connection is closed in good order.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.servers import Container

ENGINE = "/var/run/docker.sock"
TO_ENGINE, FROM_ENGINE = "to engine", "from engine"


@dataclass
class EngineCut:
    """When a connection is cut: after so many bytes in a direction, counted over all of them."""

    direction: str
    after: int
    cleanly: bool = False  # as if all had been said: docker then sees no error


@dataclass
class RemoteEngine:
    """An engine at a TCP address, and how many bytes have passed there."""

    host: str = ""
    cut: EngineCut | None = None
    passed: dict[str, int] = field(default_factory=lambda: {TO_ENGINE: 0, FROM_ENGINE: 0})

    def forget(self) -> None:
        self.passed.update({TO_ENGINE: 0, FROM_ENGINE: 0})

    async def serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        engine_reader, engine = await asyncio.open_unix_connection(ENGINE)
        await asyncio.gather(
            self.forward(TO_ENGINE, reader, engine, client, engine),
            self.forward(FROM_ENGINE, engine_reader, client, client, engine),
        )
        client.close()
        engine.close()

    async def forward(
        self,
        direction: str,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
        engine: asyncio.StreamWriter,
    ) -> None:
        try:
            while data := await source.read(65536):
                passes = self.passes(direction, len(data))
                target.write(data[:passes])
                await target.drain()
                if passes is not None:
                    self.break_off(client)
                    engine.transport.abort()
                    return
            target.write_eof()
        except OSError:
            pass  # one of the ends is closed

    def passes(self, direction: str, size: int) -> int | None:
        """Return how many of these bytes still pass before the cut; None without a cut here."""
        before = self.passed[direction]
        self.passed[direction] += size
        cut = self.cut
        if cut and cut.direction == direction and before + size > cut.after >= before:
            return cut.after - before
        return None

    def break_off(self, client: asyncio.StreamWriter) -> None:
        if self.cut.cleanly:
            client.write_eof()
        else:  # a reset
            linger = struct.pack("ii", 1, 0)
            client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            client.transport.abort()


@dataclass
class RemoteContainer(Container):
    """A container of a remote engine."""

    engine: RemoteEngine

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "DOCKER_HOST": self.engine.host}


@contextmanager
def remote_engine() -> Iterator[RemoteEngine]:
    """Yield an address of this machine's engine."""
    engine = RemoteEngine()
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(engine.serve, "127.0.0.1", 0))
    engine.host = "tcp://{}:{}".format(*server.sockets[0].getsockname())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield engine
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
