"""The requests to CB-Tumblebug that ``make init`` needs.

A ``server`` is ``host:port`` or a URL. User and password come from TB_API_USERNAME and
TB_API_PASSWORD, and are sent in the header of a request only.
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
from typing import NamedTuple
from urllib.parse import urlsplit

from helpers.terminal import printable

ANSWER_SECONDS = 30  # for requests that the server answers at once
READY_SECONDS = 5
MAXIMUM_ANSWER_BYTES = 50_000_000
MAXIMUM_REFUSAL_BYTES = 10_000
NAMESPACE = "system"


class ServerError(Exception):
    """The server refused or failed; the message is one sentence for the user."""


class NotReached(ServerError):
    """No connection to the server could be made."""


class ConnectionLost(ServerError):
    """The connection ended before the answer, so it is unknown what the server did."""


class NotFound(ServerError):
    """The server does not have what the request names (status 404)."""


def require_ready(server: str) -> None:
    """Return if the server says that it is ready. Raises ServerError if not."""
    ask(server, "GET", "/readyz", seconds=READY_SECONDS)


def ensure_namespace(server: str) -> bool:
    """Create the namespace ``system`` if it is missing; return whether it was missing.

    Raises ServerError.
    """
    try:
        ask(server, "GET", f"/ns/{NAMESPACE}")
    except NotFound:
        description = "holds the assets that all namespaces share"
        ask(server, "POST", "/ns", {"name": NAMESPACE, "description": description})
        return True
    return False


def providers(server: str) -> list[str]:
    """Return the names of the providers that the server knows. Raises ServerError."""
    names = ask(server, "GET", "/provider").get("output")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ServerError(f"the answer of {server} to /provider is not a list of names")
    return names


def fetch(server: str, azure: bool = False, chosen: Sequence[str] = ()) -> None:
    """Make the server fetch specs and images; return when it has finished, after up to an hour.

    It fetches from the ``chosen`` providers. If there are none, it fetches from all providers, but
    from Azure only with ``azure``.
    Raises ServerError.
    """
    options = {}
    if chosen:
        options = {"providers": ",".join(chosen)}
    elif azure:
        options = {"includeAzure": "true"}
    query = f"?{urllib.parse.urlencode(options, safe=',')}" if options else ""
    ask(server, "GET", f"/loadAssets{query}", seconds=None)


def fetch_prices(server: str) -> None:
    """Make the server fetch prices; return when it has finished. Raises ServerError."""
    ask(server, "POST", "/fetchPrice", seconds=None)


def update_images(server: str) -> None:
    """Make the server update images from its cloudimage.csv. Raises ServerError."""
    ask(server, "POST", "/updateImagesFromAsset", seconds=None)


def mark_initialised(server: str) -> None:
    """Tell the server that it has been initialised. Raises ServerError."""
    ask(server, "PUT", "/readyz/init")


# --- the summary ---


class Summary(NamedTuple):
    """What the server's database holds: the totals and, of each provider, four values.

    These are its name, and the number of images, specs and priced specs.
    """

    providers: list[tuple[str, int, int, int]]
    images: int
    specs: int
    priced: int


def summary(server: str) -> Summary:
    """Return the server's own summary. Raises ServerError."""
    answer = ask(server, "GET", f"/assetsSummary?nsId={NAMESPACE}")
    by_provider = ("imageCount", "specCount", "pricedSpecCount")
    totals = ("totalImageCount", "totalSpecCount", "pricedSpecCount")
    try:
        lines = [
            (str(line["providerName"]), *counts(line, by_provider))
            for line in answer.get("providers") or []
        ]
        return Summary(lines, *counts(answer, totals))
    except (TypeError, KeyError, ValueError, AttributeError):
        raise ServerError(f"could not read the summary of {server}") from None


def counts(values: dict, names: Sequence[str]) -> list[int]:
    """Return the numbers with these names in ``values``, 0 for a missing one.

    Raises TypeError, ValueError or AttributeError if ``values`` is no dictionary of numbers.
    """
    return [int(values.get(name) or 0) for name in names]


def summary_table(found: Summary) -> str:
    """Return a summary as a text table."""
    lines = [*found.providers, ("total", found.images, found.specs, found.priced)]
    rows = [f"{'provider':<16}{'images':>12}{'specs':>12}{'priced':>12}"]
    rows += [
        f"{printable(name):<16}{images:>12,}{specs:>12,}{priced:>12,}"
        for name, images, specs, priced in lines
    ]
    return "\n".join(rows)


# --- requests ---


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Makes a redirect an error: the password is for this server only."""

    def redirect_request(self, *args: object) -> None:
        return None


OPENER = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))


def ask(
    server: str,
    method: str,
    path: str,
    body: dict | None = None,
    seconds: float | None = ANSWER_SECONDS,
) -> dict:
    """Send a request and return the JSON object of the answer; ``{}`` if the answer is empty.

    ``seconds`` is the longest time without data from the server; None means no limit.
    Raises ServerError, or one of its subclasses.
    """
    try:
        request = urllib.request.Request(
            f"{api_url(server)}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": authorization(), "Content-Type": "application/json"},
        )
        with OPENER.open(request, timeout=seconds) as response:
            text = response.read(MAXIMUM_ANSWER_BYTES)
    except urllib.error.HTTPError as error:
        raise refusal(error, server) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionResetError):
            raise ConnectionLost(f"the connection to {server} was lost") from None
        cause = cause_of(error.reason)
        raise NotReached(f"CB-Tumblebug does not answer at {server}: {cause}") from None
    except (ValueError, http.client.InvalidURL) as error:
        raise ServerError(f"TUMBLEBUG_SERVER '{server}' is not an address: {error}") from None
    except (OSError, http.client.HTTPException):
        raise ConnectionLost(f"the connection to {server} was lost") from None
    try:
        answer = json.loads(text or b"{}")
    except ValueError:
        raise ServerError(f"the answer of {server} to {path} is not JSON") from None
    if not isinstance(answer, dict):
        raise ServerError(f"the answer of {server} to {path} is not a JSON object")
    return answer


def api_url(server: str) -> str:
    """Return the base URL of all requests. Raises ValueError if its port is not valid."""
    base = server if "://" in server else f"http://{server}"
    _ = urlsplit(base).port
    return f"{base.rstrip('/').removesuffix('/tumblebug')}/tumblebug"


def authorization() -> str:
    """Return the value of the Authorization header, for basic authentication."""
    names = ("TB_API_USERNAME", "TB_API_PASSWORD")
    credentials = ":".join(os.environ.get(name, "default") for name in names)
    return "Basic " + base64.b64encode(credentials.encode(errors="surrogateescape")).decode()


def refusal(error: urllib.error.HTTPError, server: str) -> ServerError:
    """Return an exception for an error status, with the server's message."""
    if error.code == 401:
        return ServerError(f"CB-Tumblebug at {server} refuses the user or the password")
    with error:
        text = error.read(MAXIMUM_REFUSAL_BYTES).decode(errors="replace")
    try:
        answer = json.loads(text)
        message = answer.get("message") or answer.get("error") or text
    except (ValueError, AttributeError):
        message = text
    message = " ".join(str(message).split())[:500] or error.reason
    sentence = f"{server} answered {error.code}: {message}"
    return NotFound(sentence) if error.code == 404 else ServerError(sentence)


def cause_of(error: object) -> str:
    """Return an error's cause in words."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
