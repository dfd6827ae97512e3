"""An HTTP client that sends each request once, without retries, and keeps the session cookie."""

import contextlib
import gzip
import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from typing import Any

from backports import zstd

ORIGIN = "https://app.example.test"
USER, PASSWORD = "ada", "a password of her own"
CONNECTION_ERRORS = (OSError, http.client.HTTPException)
CODINGS = "gzip, deflate, br, zstd"  # that browsers accept
DECOMPRESS: dict[str | None, Callable[[bytes], bytes]] = {None: bytes, "gzip": gzip.decompress, "zstd": zstd.decompress}


@dataclass(frozen=True)
class Answer:
    """The response to a request."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed as JSON."""
        return json.loads(DECOMPRESS[self.headers["Content-Encoding"]](self.body))

    @property
    def is_readable(self) -> bool:
        """Whether a page can read it. It needs CORS headers, and an error needs a problem document."""
        headers, kind = self.headers, self.headers.get_content_type()
        opened = (headers["Access-Control-Allow-Origin"], headers["Access-Control-Allow-Credentials"])
        return opened == (ORIGIN, "true") and (self.status < 400 or kind == "application/problem+json")

    @property
    def is_from_proxy(self) -> bool:
        """Whether Caddy sent it instead of the API."""
        return self.headers["Server"] == "Caddy"


class Client:
    """One keep-alive connection to a port of this machine. It sends the headers of a page of `ORIGIN`."""

    def __init__(self, port: int, host: str, address: str = "127.0.0.1", seconds: float = 30) -> None:
        """Connect to a port, with a Host header, a source address and a timeout in seconds."""
        self.connection = http.client.HTTPConnection("127.0.0.1", port, seconds, (address, 0))
        self.headers = {"Host": f"{host}:{port}", "Origin": ORIGIN, "Sec-Fetch-Site": "same-site"}
        self.headers["Accept-Encoding"] = CODINGS

    def request(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send a request and return the response. Raise one of `CONNECTION_ERRORS` without a response."""
        sent = self.headers | headers
        data = None
        if body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        try:
            self.connection.request(method, path, data, sent)
            response = self.connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except CONNECTION_ERRORS:
            self.connection.close()  # the next request opens a new connection
            raise

    def get_status(self, method: str, path: str, body: object = None) -> int | None:
        """Send a request and return the status of the response, or None without a response."""
        with contextlib.suppress(*CONNECTION_ERRORS):
            return self.request(method, path, body).status
        return None

    def sign_in(self, user: str = USER, password: str = PASSWORD) -> Answer:
        """Sign in and keep the cookie."""
        answer = self.request("POST", "/api/auth/login", {"username": user, "password": password})
        if answer.status == 200:
            self.headers["Cookie"] = answer.headers["Set-Cookie"].partition(";")[0]
        return answer

    def copy_cookie(self, other: "Client") -> "Client":
        """Use the session cookie of another client."""
        self.headers["Cookie"] = other.headers["Cookie"]
        return self

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
