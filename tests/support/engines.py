"""A Docker engine on another machine: a proxy in front of this one's, whose connections can break.

docker exec takes a stream for complete if its connection is closed in good order.
"""

from __future__ import annotations

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

    listener: socket.socket
    cut: EngineCut | None = None
    passed: dict[str, int] = field(default_factory=lambda: {TO_ENGINE: 0, FROM_ENGINE: 0})
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def host(self) -> str:
        return "tcp://{}:{}".format(*self.listener.getsockname())

    def forget(self) -> None:
        self.passed.update({TO_ENGINE: 0, FROM_ENGINE: 0})

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # the listener is closed
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(ENGINE)
            for direction, ends in (
                (TO_ENGINE, (client, engine)),
                (FROM_ENGINE, (engine, client)),
            ):
                thread = threading.Thread(target=self.forward, args=(direction, *ends), daemon=True)
                thread.start()

    def forward(self, direction: str, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                passes = self.passes(direction, len(data))
                target.sendall(data[:passes])
                if passes is not None:
                    ends = (source, target) if direction == TO_ENGINE else (target, source)
                    self.break_off(*ends)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # one of the ends is closed

    def passes(self, direction: str, size: int) -> int | None:
        """Return how many of these bytes still pass before the cut; None without a cut here."""
        with self.lock:
            before = self.passed[direction]
            self.passed[direction] += size
        cut = self.cut
        if cut and cut.direction == direction and before + size > cut.after >= before:
            return cut.after - before
        return None

    def break_off(self, client: socket.socket, engine: socket.socket) -> None:
        if self.cut.cleanly:
            client.shutdown(socket.SHUT_RDWR)
        else:  # a reset
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        engine.shutdown(socket.SHUT_RDWR)


@dataclass
class RemoteContainer(Container):
    """A container of a remote engine."""

    engine: RemoteEngine

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "DOCKER_HOST": self.engine.host}


@contextmanager
def remote_engine() -> Iterator[RemoteEngine]:
    """Yield an address of this machine's engine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        engine = RemoteEngine(listener)
        threading.Thread(target=engine.serve, daemon=True).start()
        yield engine
        listener.shutdown(socket.SHUT_RDWR)
