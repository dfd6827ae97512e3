"""A server that sends a scripted reply for each path and records the requests."""

import contextlib
import socketserver
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

Headers = tuple[tuple[str, str], ...]
SHORT = {name: f"Access-Control-Allow-{name}" for name in ("Origin", "Credentials", "Methods", "Headers")}
SHORT |= {"Expose": "Access-Control-Expose-Headers"}


class Reply(NamedTuple):
    """A reply of the server. With status 0, it closes the connection instead."""

    status: int
    headers: Headers


class ReceivedRequest(NamedTuple):
    """A recorded request. Header names are in lower case, and repeated headers are joined."""

    method: str
    headers: dict[str, str]


class ScriptedServer(socketserver.ThreadingTCPServer):
    """Reply to OPTIONS with the first reply of a path, and to other methods with the second."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str = "localhost", tls: ssl.SSLContext | None = None) -> None:
        """Listen on a free port, with https if there is a context. `serving` also stops the server."""
        super().__init__(("127.0.0.1", 0), Connection)
        self.url = f"http{'s' if tls else ''}://{host}:{self.server_address[1]}"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.replies: dict[str, tuple[Reply, Reply]] = {}
        self.requests: dict[str, list[ReceivedRequest]] = defaultdict(list)


class Connection(socketserver.StreamRequestHandler):
    """Read and write HTTP/1.1 without checks, because http.server rejects some methods and headers."""

    server: ScriptedServer
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Reply to requests until the browser closes the connection."""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while line := self.rfile.readline().decode("latin-1"):
                self.answer(*line.split()[:2])

    def answer(self, method: str, path: str) -> None:
        """Read and record a request, then send the reply of its path."""
        headers: dict[str, str] = {}
        while (line := self.rfile.readline().decode("latin-1").removesuffix("\r\n")) != "":
            name, _, value = line.partition(":")
            name, value = name.lower(), value.strip(" \t")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self.rfile.read(int(headers.get("content-length", "0")))
        self.server.requests[path].append(ReceivedRequest(method, headers))
        preflight, answer = self.server.replies.get(path.partition("?")[0], (NOT_FOUND, NOT_FOUND))
        status, lines = preflight if "access-control-request-method" in headers else answer
        if not status:
            raise ConnectionAbortedError
        text = "".join(f"{name}: {value}\r\n" for name, value in lines)
        self.wfile.write(f"HTTP/1.1 {status} Scripted\r\n{text}\r\n".encode("latin-1"))


@contextlib.contextmanager
def serving(host: str = "localhost", tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Run a server until the block ends."""
    with ScriptedServer(host, tls) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def reply(status: int, text: str) -> Reply:
    """Return a reply without a body. Its headers are a text such as "Origin: * | X-Lab: 1"."""
    length = () if status in (204, 304) else (("Content-Length", "0"),)
    return Reply(status, (*parse_headers(text), *length))


def parse_headers(text: str) -> Headers:
    """Return the headers of a text. CORS headers have short names there."""
    split = [line.partition(": ") for line in text.split(" | ") if line]
    return tuple((SHORT.get(name, name), value) for name, _, value in split)


NOT_FOUND = reply(404, "")
