"""An empty page on its own origin."""

import contextlib
import http.server
import threading
from collections.abc import Iterator

PAGE = b'<!doctype html><html lang="en"><title>Elsewhere</title><h1>Elsewhere</h1></html>'


class EmptyPage(http.server.BaseHTTPRequestHandler):
    """Respond with the same page at every path."""

    def do_GET(self) -> None:
        """Send the page."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Do not log."""


@contextlib.contextmanager
def empty_page() -> Iterator[int]:
    """Serve the page on a free port and yield the port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
