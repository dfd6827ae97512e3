"""Headers that harden every response, and the end of bodies that were refused."""

from flask import Flask, Response, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # an answer of an API is never a page: it loads nothing and stands in no frame
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # for requests that CORS does not see (<img>, <script>): no other site may embed (Fetch, section 3.7)
    "Cross-Origin-Resource-Policy": "same-origin",
    # a copy may be kept, but only by this browser, and asked about before each use
    "Cache-Control": "private, no-cache",
}
MOST_DRAINED, CHUNK = 32 * 1024 * 1024, 64 * 1024  # bytes


def init_app(app: Flask) -> None:
    """Add the headers, except where a view has set its own."""
    app.after_request(_add_headers)
    app.after_request(_drain)


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _drain(response: Response) -> Response:
    """Read a refused body to its end: a client that is cut off while sending never sees the answer."""
    if response.status_code < 400 or not request.content_length:
        return response
    try:
        read = "stream" in vars(request)  # by the view, as far as it wanted
        stream = request.stream if read else get_input_stream(request.environ)
        for _ in range(MOST_DRAINED // CHUNK):
            if not stream.read(CHUNK):
                break
    except (ClientDisconnected, RequestEntityTooLarge, OSError):
        pass
    return response
