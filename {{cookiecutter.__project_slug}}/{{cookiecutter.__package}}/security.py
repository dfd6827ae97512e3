"""Headers that harden every response, and requests that would break or hang what comes after."""

from io import BytesIO

from flask import Flask, Response, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.http import parse_date
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
    app.before_request(_ignore_impossible_dates)
    app.before_request(_refuse_long_chunked_body)
    app.after_request(_add_headers)
    app.after_request(_drain)


def _ignore_impossible_dates() -> None:
    """Drop a date that no calendar has: it is to be ignored (RFC 9110, 13.1.3), and werkzeug fails on it."""
    for name in ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE"):
        try:
            parse_date(request.environ.get(name))
        except OverflowError:
            del request.environ[name]


def _refuse_long_chunked_body() -> None:
    """Answer 413 for a body that is sent in chunks and too long: werkzeug would cut it off, and go on."""
    most = request.max_content_length
    if most is None or request.content_length is not None or not request.environ.get("wsgi.input_terminated"):
        return
    body = request.environ["wsgi.input"].read(most + 1)
    if len(body) > most:
        raise RequestEntityTooLarge
    request.environ["wsgi.input"], request.environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))


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
