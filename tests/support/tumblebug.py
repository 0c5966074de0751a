"""A fake CB-Tumblebug: the part of its REST API that make init uses, with faults on request."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PROVIDERS = ["aws", "azure", "gcp", "ncp"]
FETCHED = {"aws": (100, 1200), "gcp": (50, 300)}  # images, specs


@dataclass
class Tumblebug:
    """Its state, the requests it got, and its faults: by path, a function of the handler."""

    port: int = 0
    password: str = "default"
    namespace: bool = False
    initialised: bool = False
    fetching_seconds: float = 0
    assets: dict[str, tuple[int, int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    faults: dict[str, Callable[[Handler], None]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: dict
    ) -> tuple[int, object]:
        match method, path:
            case "GET", "/readyz":
                return 200, {"message": "CB-Tumblebug is ready"}
            case "PUT", "/readyz/init":
                self.initialised = True
                return 200, {"message": "initialised"}
            case "GET", "/ns/system":
                return (
                    (200, {"id": "system"})
                    if self.namespace
                    else (404, {"message": "no namespace system"})
                )
            case "POST", "/ns":
                self.namespace = body["name"] == "system"
                return 200, body
            case "GET", "/provider":
                return 200, {"output": PROVIDERS}
            case "GET", "/loadAssets":
                time.sleep(self.fetching_seconds)
                self.assets = dict(FETCHED)
                return 200, {"output": None}
            case "POST", "/fetchPrice" | "/updateImagesFromAsset":
                return 200, {"message": "done"}
            case "GET", "/assetsSummary":
                return 200, self.summary()
        return 404, {"message": f"no {method} {path}"}

    def summary(self) -> dict:
        providers = [
            {
                "providerName": provider,
                "imageCount": images,
                "specCount": specs,
                "pricedSpecCount": specs // 2,
            }
            for provider, (images, specs) in self.assets.items()
        ]
        return {
            "providers": providers,
            "totalImageCount": sum(provider["imageCount"] for provider in providers),
            "totalSpecCount": sum(provider["specCount"] for provider in providers),
            "pricedSpecCount": sum(provider["pricedSpecCount"] for provider in providers),
        }


class Handler(BaseHTTPRequestHandler):
    tumblebug: Tumblebug

    def handle_any(self) -> None:
        where = urlsplit(self.path)
        path = where.path.removeprefix("/tumblebug")
        self.tumblebug.asked.append(f"{self.command} {self.path.removeprefix('/tumblebug')}")
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        expected = "Basic " + b64encode(f"default:{self.tumblebug.password}".encode()).decode()
        if path != "/readyz" and self.headers.get("Authorization") != expected:
            self.reply(401, {"message": "Unauthorized"})
        elif path in self.tumblebug.faults:
            self.tumblebug.faults[path](self)
        else:
            self.reply(*self.tumblebug.answer(self.command, path, parse_qs(where.query), body))

    do_GET = do_POST = do_PUT = handle_any

    def reply(self, status: int, body: object, **headers: str) -> None:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None:
        """Log nothing."""


def replies(status: int, body: object, **headers: str) -> Callable[[Handler], None]:
    """Return a fault that gives this answer."""
    return lambda handler: handler.reply(status, body, **headers)


def drops(handler: Handler) -> None:
    """End the connection without an answer: a fault."""
    handler.close_connection = True
    handler.connection.close()


@contextmanager
def running_tumblebug() -> Iterator[Tumblebug]:
    """Yield a running server."""
    tumblebug = Tumblebug()
    handler = type("BoundHandler", (Handler,), {"tumblebug": tumblebug})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # of clients that went away
    tumblebug.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield tumblebug
    finally:
        server.shutdown()
        server.server_close()
