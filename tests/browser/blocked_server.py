"""Load applications, explain requests to them and serve them. Each line of stdin is a command in JSON.

The Python of a generated project runs it in the parent folder of all situations.
"""

import importlib
import json
import os
import socket
import ssl
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from crossorigin.declare import get_policies
from crossorigin.doctor.trace import get_cookie
from flask import Flask
from flask.cli import ScriptInfo, cli
from werkzeug.serving import WSGIRequestHandler, make_server

CONFIG = json.loads(sys.argv[1])  # ports, project, certificate and host names
PASS = "pass"


@dataclass
class Situation:
    """The current application, the server in front of it and the responses of the other server."""

    app: Flask | None = None
    error: Exception | None = None
    environment: dict[str, str] = field(default_factory=dict)
    front: list[list[Any]] = field(default_factory=list)  # rules: a method or "", a status or "pass", headers
    other: list[list[Any]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)


CURRENT = Situation()


def make(folder: str, environment: dict[str, str], front: list[Any], other: list[Any], debug: bool) -> dict[str, Any]:
    """Import the application of a folder as in a new process, and serve it."""
    CURRENT.front, CURRENT.other, CURRENT.app, CURRENT.error = front, other, None, None
    for name in [name for name in sys.modules if name.partition(".")[0] in ("app", CONFIG["package"])]:
        del sys.modules[name]
    CURRENT.environment = {**INITIAL_ENVIRONMENT, **environment, "FLASK_DEBUG": str(int(debug))}
    reset_environment()
    os.chdir(folder)
    sys.path[0] = folder
    importlib.invalidate_caches()
    try:
        module = importlib.import_module("app" if Path("app.py").exists() else CONFIG["package"])
        CURRENT.app = module.create_app() if hasattr(module, "create_app") else module.app
        if debug:
            CURRENT.app.debug = True
        get_policies(CURRENT.app).check()
    except Exception as error:
        CURRENT.app, CURRENT.error = None, error
        return {"error": str(error)}
    cookie = get_cookie(CURRENT.app)._asdict()
    return {"error": "", "cookie": cookie | {"name": CURRENT.app.config["SESSION_COOKIE_NAME"]}}


def reset_environment() -> None:
    """Remove the variables that commands have read from .env."""
    os.environ.clear()
    os.environ.update(CURRENT.environment)


def create_app() -> Flask:
    """Return the application as `flask` loads it."""
    if CURRENT.app is None:
        raise CURRENT.error or RuntimeError("no application is loaded")
    return CURRENT.app


def explain(arguments: list[str]) -> dict[str, Any]:
    """Return what `flask cors explain` prints."""
    reset_environment()
    result = CliRunner().invoke(cli, ["cors", "explain", *arguments], obj=ScriptInfo(create_app=create_app))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    if result.exit_code == 2:
        raise ValueError(result.output)
    found: dict[str, Any] = json.loads(result.stdout)
    return found | {"exit_code": result.exit_code}


def ask_endpoint(question: dict[str, Any], base: str) -> dict[str, Any]:
    """Return the response of the development endpoint."""
    found: dict[str, Any] = create_app().test_client().post("/api/dev/explain", base_url=base, json=question).json
    return found


class Handler(WSGIRequestHandler):
    """Add no Server header, so each rule can set it."""

    def send_response(self, code: int, message: str | None = None) -> None:
        """Write the status line only."""
        self.send_response_only(code, message)


def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Respond as the application or as the server in front of it."""
    record(environ)
    if CURRENT.app is None:  # like a port without a listener
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return []
    rules: list[list[Any]] = [rule for rule in CURRENT.front if rule[0] in ("", environ["REQUEST_METHOD"])]
    if environ["wsgi.url_scheme"] == "https" or "HTTP_NGROK_SKIP_BROWSER_WARNING" in environ:
        rules = []
    rule: list[Any] = rules[0] if rules else ["", PASS, [["Server", "Werkzeug/3.1.9"]]]
    _, status, added = rule
    if status != PASS:
        path = environ["PATH_INFO"]
        return respond(start_response, status, [(name, value.replace("<path>", path)) for name, value in added])

    def start(line: str, given: list[Any], *more: Any) -> Any:
        gone = {name for name, value in added if value is None}
        kept = [pair for pair in given if pair[0] not in gone]
        return start_response(line, [*kept, *(tuple(pair) for pair in added if pair[1] is not None)], *more)

    response: Iterable[bytes] = CURRENT.app.wsgi_app(environ, start)
    return response


def serve_other(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Respond as a server outside the project."""
    record(environ)
    for wanted, status, headers in CURRENT.other:
        if wanted in ("", environ["REQUEST_METHOD"]):
            return respond(start_response, status, headers)
    return respond(start_response, 404, [])


def respond(start_response: Any, status: int, headers: list[Any]) -> list[bytes]:
    start_response(f"{status} Said", [("Content-Length", "0"), *(tuple(pair) for pair in headers)])
    return []


def record(environ: dict[str, Any]) -> None:
    preflight = "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    CURRENT.log.append({"preflight": preflight, "path": environ["PATH_INFO"], "cookie": environ.get("HTTP_COOKIE", "")})


def get_log() -> list[dict[str, Any]]:
    """Return the requests since the last call."""
    log, CURRENT.log = CURRENT.log, []
    return log


def resolve(names: dict[str, int]) -> None:
    """Resolve "name:port" to a port of this machine, as the browser does."""
    ask = socket.getaddrinfo

    def answer(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        place = names.get(f"{host}:{port}")
        return ask(*(("127.0.0.1", place) if place else (host, port)), *more, **options)

    socket.getaddrinfo = answer


def main() -> None:
    """Start the servers and run each command."""
    sys.dont_write_bytecode = True  # bytecode could be older than the edits, if size and time are the same
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CONFIG["certificate"])
    for name, app, tls in (("app", serve, False), ("app-tls", serve, True), ("other", serve_other, False)):
        port = CONFIG["ports"][name]
        server = make_server("127.0.0.1", port, app, True, 1, Handler, ssl_context=context if tls else None)
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    resolve(CONFIG["names"])
    commands: dict[str, Any] = {function.__name__: function for function in (make, explain, ask_endpoint, get_log)}
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")  # other output goes to stderr
    os.dup2(2, 1)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = {"answer": commands[name](*arguments)}
        except Exception as error:
            answer = {"raised": repr(error)}
        print(json.dumps(answer), file=answers, flush=True)


INITIAL_ENVIRONMENT = dict(os.environ)
if __name__ == "__main__":
    main()
