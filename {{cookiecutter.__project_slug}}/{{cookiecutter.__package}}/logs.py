"""The log: one line for each request, with the id of its response."""

import json
import logging
import random
import re
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from crossorigin import find_policy, is_dry_run
from flask import Flask, Response, g, has_request_context, request
from flask.logging import default_handler

LINE_FORMAT = "%(method)s %(path)s %(status)s %(ms)s ms, origin %(origin)s: %(cors)s, id %(request_id)s"


class PlainFormatter(logging.Formatter):
    """Format a record as text. Further lines are indented, to prevent log injection (CWE-117)."""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{self.formatTime(record, '%H:%M:%S')} {record.levelname} {super().format(record)}"
        return "\n    ".join(text.splitlines())


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        request_id = {"request_id": g.get("request_id")} if has_request_context() else {}
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "request", request_id),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


FORMATTERS = {"plain": PlainFormatter, "json": JsonFormatter}


def init_app(app: Flask) -> None:
    """Give every request an id and a line in the log."""
    default_handler.setFormatter(FORMATTERS[app.config["LOG_FORMAT"]]())
    default_handler.addFilter(should_log)
    logging.getLogger().addHandler(default_handler)  # libraries log in the same format
    app.logger.setLevel(logging.INFO if app.config["PRODUCTION"] else logging.DEBUG)
    app.before_request(start_request)
    app.after_request(log_request)


def get_granian_config(log_format: str) -> dict[str, Any]:
    """Return the configuration with which Granian logs in the same format."""
    handler = {"class": "logging.StreamHandler", "formatter": "app"}
    formatters = {"app": {"()": FORMATTERS[log_format]}}
    return {"formatters": formatters, "handlers": {"console": handler, "access": handler}}


def choose_request_id(environ: dict[str, Any]) -> str:
    """Return the X-Request-ID of a proxy or a page, or a new id."""
    request_id: str = environ.get("HTTP_X_REQUEST_ID", "")
    if request_id and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", request_id):
        return request_id
    return f"{random.getrandbits(128):032x}"  # not a secret: os.urandom would release the GIL


def should_log(record: logging.LogRecord) -> bool:
    # the request line of the development server repeats ours
    return not is_dry_run() and not (record.name == "werkzeug" and " - - [" in record.getMessage())


def start_request() -> None:
    g.request_id, g.started = choose_request_id(request.environ), time.perf_counter()


def log_request(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    origin, policy = request.environ.get("HTTP_ORIGIN", ""), find_policy()
    site = request.environ.get("HTTP_SEC_FETCH_SITE")
    # a same-origin POST has an Origin too; plain http has no Sec-Fetch-Site, so the host is compared
    if not origin or (site == "same-origin" if site else origin.partition("://")[2] == request.host):
        cors = "not cross-origin"
    else:
        cors = (policy.refusal(origin) or "allowed") if policy else "no policy"
    line = {
        "request_id": g.request_id,
        "method": quote(request.environ["REQUEST_METHOD"]),
        "path": quote(request.path),
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.started) * 1000, 1),
        "address": request.environ.get("REMOTE_ADDR"),
        "origin": quote(origin or "-", safe="/:[]*"),
        "cors": cors,
    }
    level = logging.DEBUG if request.blueprint == "health" else logging.INFO  # load balancers check often
    logging.getLogger(__name__).log(level, LINE_FORMAT, line, extra={"request": line})
    return response
