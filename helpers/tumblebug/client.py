"""CB-Tumblebug's REST interface, as far as filling the assets database needs it. Only the standard library.

The paths and bodies are those of CB-Tumblebug's server; user and password come from TB_API_USERNAME and
TB_API_PASSWORD, and go nowhere but into the header of a request.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

from helpers.terminal import printable

ANSWER_SECONDS = 30  # for what the server knows at once
MAXIMUM_ANSWER_BYTES = 50_000_000
NAMESPACE = "system"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The password is for this server alone: a redirect is an error."""

    def redirect_request(self, *args: object) -> None:
        return None


OPENER = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))


class ServerError(Exception):
    """The server refused or failed; the message is one sentence for the user."""


class NotReached(ServerError):
    """There was no connection to the server."""


class ConnectionLost(ServerError):
    """The connection ended before the answer: what the server did is not known."""


class NotFound(ServerError):
    """The server has no such thing (404)."""


@dataclass(frozen=True)
class Server:
    """A CB-Tumblebug server, ``host:port`` or a URL."""

    address: str

    @property
    def url(self) -> str:
        base = self.address if "://" in self.address else f"http://{self.address}"
        return f"{base.rstrip('/').removesuffix('/tumblebug')}/tumblebug"

    def ask(
        self,
        method: str,
        path: str,
        body: dict | None = None,
        seconds: float | None = ANSWER_SECONDS,
    ) -> dict:
        """Return the JSON object that the server answers; ``{}`` for an empty answer.

        ``seconds`` is how long it may be silent; None waits for ever. Raises ServerError, or what is more exact.
        """
        try:
            request = urllib.request.Request(
                f"{self.url}{path}",
                method=method,
                data=None if body is None else json.dumps(body).encode(),
                headers={"Authorization": authorization(), "Content-Type": "application/json"},
            )
            with OPENER.open(request, timeout=seconds) as response:
                text = response.read(MAXIMUM_ANSWER_BYTES)
        except urllib.error.HTTPError as error:
            raise refusal(error, self.address) from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, ConnectionResetError | TimeoutError):
                raise ConnectionLost(f"the connection to {self.address} was lost") from None
            raise NotReached(
                f"CB-Tumblebug does not answer at {self.address}: {reason(error.reason)}"
            ) from None
        except (OSError, http.client.HTTPException):
            raise ConnectionLost(f"the connection to {self.address} was lost") from None
        except ValueError as error:  # of a URL that is none
            raise ServerError(f"TUMBLEBUG_SERVER '{self.address}' is no address: {error}") from None
        try:
            answer = json.loads(text or b"{}")
        except ValueError:
            raise ServerError(f"what {self.address} answered to {path} is not JSON") from None
        if not isinstance(answer, dict):
            raise ServerError(f"what {self.address} answered to {path} is not an object")
        return answer


def authorization() -> str:
    """Return the header's value for basic authentication."""
    user, password = (
        os.environ.get(f"TB_API_{name}", "default") for name in ("USERNAME", "PASSWORD")
    )
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def refusal(error: urllib.error.HTTPError, address: str) -> ServerError:
    """Return what an error status means, with the server's own message."""
    if error.code == 401:
        return ServerError(
            f"{address} refuses the user or the password; set TB_API_USERNAME and TB_API_PASSWORD"
        )
    with error:
        text = error.read(10_000).decode(errors="replace")
    try:
        said = json.loads(text)
        message = said.get("message") or said.get("error") or text
    except (ValueError, AttributeError):
        message = text
    sentence = (
        f"{address} answered {error.code}: {' '.join(str(message).split())[:500] or error.reason}"
    )
    return NotFound(sentence) if error.code == 404 else ServerError(sentence)


def reason(cause: object) -> str:
    return cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)


# --- what make init asks of it ---


def is_ready(server: Server) -> None:
    """Return when the server says that it is ready. Raises ServerError."""
    server.ask("GET", "/readyz", seconds=5)


def ensure_namespace(server: Server) -> bool:
    """Make the namespace ``system`` where it is missing; return whether it was. Raises ServerError."""
    try:
        server.ask("GET", f"/ns/{NAMESPACE}")
    except NotFound:
        description = "holds the assets that all namespaces share"
        server.ask("POST", "/ns", {"name": NAMESPACE, "description": description})
        return True
    return False


def providers(server: Server) -> list[str]:
    """Return the names of the clouds that the server knows. Raises ServerError."""
    names = server.ask("GET", "/provider").get("output")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ServerError(f"what {server.address} answered is no list of providers")
    return names


def fetch(server: Server, azure: bool = False, chosen: Sequence[str] = ()) -> None:
    """Let the server fetch specs and images, and return when it has: that takes up to an hour. Raises ServerError."""
    options = (
        {"providers": ",".join(chosen)} if chosen else {"includeAzure": "true"} if azure else {}
    )
    query = f"?{urllib.parse.urlencode(options, safe=',')}" if options else ""
    server.ask("GET", f"/loadAssets{query}", seconds=None)


def fetch_prices(server: Server) -> None:
    """Let the server fetch prices. Raises ServerError."""
    server.ask("POST", "/fetchPrice", seconds=None)


def update_images(server: Server) -> None:
    """Let the server put its newest cloudimage.csv on top. Raises ServerError."""
    server.ask("POST", "/updateImagesFromAsset", seconds=None)


def mark_initialised(server: Server) -> None:
    """Tell the server that it has been initialised. Raises ServerError."""
    server.ask("PUT", "/readyz/init")


@dataclass(frozen=True)
class Summary:
    """What the server's database holds: lines of (provider, images, specs, priced specs), and the totals."""

    clouds: list[tuple[str, int, int, int]]
    images: int
    specs: int
    priced: int

    def text(self) -> str:
        """Return a table for people."""
        lines = [*self.clouds, ("total", self.images, self.specs, self.priced)]
        rows = [f"{'provider':<16}{'images':>12}{'specs':>12}{'priced':>12}"]
        rows += [
            f"{printable(name):<16}{images:>12,}{specs:>12,}{priced:>12,}"
            for name, images, specs, priced in lines
        ]
        return "\n".join(rows)


def summary(server: Server) -> Summary:
    """Return the server's own summary. Raises ServerError."""
    found = server.ask("GET", f"/assetsSummary?nsId={NAMESPACE}")
    try:
        clouds = [
            (
                str(cloud["providerName"]),
                *(
                    int(cloud.get(name) or 0)
                    for name in ("imageCount", "specCount", "pricedSpecCount")
                ),
            )
            for cloud in found.get("providers") or []
        ]
        totals = [
            int(found.get(name) or 0)
            for name in ("totalImageCount", "totalSpecCount", "pricedSpecCount")
        ]
    except (TypeError, KeyError, ValueError, AttributeError):
        raise ServerError(f"the summary of {server.address} cannot be understood") from None
    return Summary(clouds, *totals)
