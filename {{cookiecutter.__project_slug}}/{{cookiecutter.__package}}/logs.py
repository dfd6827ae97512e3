"""One line for each request, with an id that the response carries too."""

import json
import logging
import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from crossorigin import find_policy, is_dry_run
from flask import Flask, Response, g, has_request_context, request
from flask.logging import default_handler

# what a proxy or a page may choose as id; anything else could forge log lines
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
PLAIN = "%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"


class JsonFormatter(logging.Formatter):
    """Writes each record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "request", _request_id()),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _request_id() -> dict[str, str]:
    return {"request_id": g.request_id} if has_request_context() and "request_id" in g else {}


def init_app(app: Flask) -> None:
    """Give every request an id and a line in the log."""
    form = JsonFormatter() if app.config["LOG_FORMAT"] == "json" else logging.Formatter(*PLAIN)
    default_handler.setFormatter(form)
    default_handler.addFilter(_is_no_dry_run)
    logging.getLogger().addHandler(default_handler)  # what libraries say, in the same form
    app.logger.setLevel(logging.DEBUG if app.config["APP_ENV"] == "development" else logging.INFO)
    logging.getLogger("werkzeug").addFilter(_is_no_access_line)  # ours says the same, and the id
    app.before_request(_start)
    app.after_request(_finish)


def _is_no_access_line(record: logging.LogRecord) -> bool:
    return " - - [" not in record.getMessage()


def _is_no_dry_run(_record: logging.LogRecord) -> bool:
    return not is_dry_run()


def _start() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if REQUEST_ID.match(given) else secrets.token_hex(16)
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    environ, path = request.environ, request.path
    origin = environ.get("HTTP_ORIGIN")
    response.headers["X-Request-ID"] = g.request_id
    line = {
        "request_id": g.request_id,
        "method": quote(environ["REQUEST_METHOD"]),
        "path": quote(path),  # a decoded line break would forge a log line
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.started) * 1000, 1),
        "address": environ.get("REMOTE_ADDR"),
        "origin": quote(origin or "-", safe="/:[]*"),
        "cors": _verdict(origin),
    }
    text = "%(method)s %(path)s %(status)s %(ms)s ms, origin %(origin)s: %(cors)s, id %(request_id)s"
    logging.getLogger(__name__).info(text, line, extra={"request": line})
    return response


def _verdict(origin: str | None) -> str:
    """Tell whether the page that asked may read the answer."""
    # by host, since a proxy in front may do the https; a page of the API's own origin names itself at a POST
    if origin is None or origin.partition("://")[2] == request.host:
        return "not cross-origin"
    policy = find_policy()
    if policy is None:
        return "no policy"
    return policy.refusal(origin) or "allowed"


def of_granian(log_format: str) -> dict[str, Any]:
    """Return how Granian logs: as everything else does."""
    handler = {"class": "logging.StreamHandler", "formatter": log_format}
    return {
        "formatters": {"json": {"()": JsonFormatter}, "plain": {"format": PLAIN[0], "datefmt": PLAIN[1]}},
        "handlers": {"console": handler},
        "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
    }
