"""Run an application in this process and measure its CPU: started by `in_process`, with the Python of the application.

    python worker.py wsgi|asgi MODULE:EXPRESSION VARIANT…

Reads one JSON object in each line, `{"variant", "request", "count", "idle"}`, and writes one: without a count the
answer to the request, with one the seconds of CPU and of time for that many requests; idle, nothing is sent and all
else is done. It imports nothing but the standard library and the application.
"""

import asyncio
import gc
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any, TypeAlias
from urllib.parse import unquote

Json: TypeAlias = dict[str, Any]


def main() -> None:
    """Make the applications, then answer each line."""
    kind, place, *variants = sys.argv[1:]
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever an application prints is no answer
    protocol = Wsgi() if kind == "wsgi" else Asgi()
    apps = {variant: make(place, variant) for variant in variants or ["as it is"]}
    print(json.dumps(list(apps)), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        app = apps[asked["variant"]]
        if "count" in asked:
            said: Json = measure(protocol, app, asked["request"], asked["count"], idle=asked.get("idle", False))
        elif "pragmas" in asked:
            said = sqlite_settings(asked["pragmas"])
        else:
            said = protocol.answer(app, asked["request"])
        print(json.dumps(said), file=answers, flush=True)


def make(place: str, variant: str) -> Any:
    """Return an application.

    Args:
        place: a module, and an expression about it that gives the application.
        variant: `as it is`, `without CORS`, or how many policies there are: `30 policies`.
    """
    name, _, expression = place.partition(":")
    module = importlib.import_module(name)
    if variant == "without CORS" and hasattr(module, "without_cors"):
        return module.without_cors()
    if not variant.endswith("policies"):
        app = eval(expression, vars(module))
        if variant == "without CORS":
            without_cors(app)
        return app
    names = vars(module)  # what create_app calls by name
    put_to_work = names["init_cors"]

    def put_more_to_work(app: Any) -> None:
        declare_more(name, app, int(variant.split()[0]))
        put_to_work(app)

    names["init_cors"] = put_more_to_work
    app = eval(expression, names)
    names["init_cors"] = put_to_work
    return app


def without_cors(app: Any) -> None:
    """Take the layer and the headers of CORS off a generated project; everything else stays."""
    functions = app.after_request_funcs[None]
    ours = [function for function in functions if function.__module__.endswith(".cors.engine")]
    layers = [app]
    while not type(layers[-1]).__module__.endswith(".cors.preflight"):
        layers.append(layers[-1].wsgi_app)
    layers[-2].wsgi_app = layers[-1].wsgi_app
    for function in ours:
        functions.remove(function)
    if not ours:
        raise LookupError("no after_request of cors/engine.py: mend without_cors")


def declare_more(package: str, app: Any, wanted: int) -> None:
    """Register blueprints with policies until there are so many of them."""
    from flask import Blueprint

    cors = importlib.import_module(f"{package}.cors")
    there = len(app.extensions["cors"].declarations)
    for number in range(wanted - there):
        more = Blueprint(f"more{number}", __name__, url_prefix=f"/api/more-{number}")
        more.add_url_rule("", view_func=dict)
        cors.cors(more, origins=["https://app.example.com"], credentials=True)
        app.register_blueprint(more)


def sqlite_settings(pragmas: list[str]) -> Json:
    """Return how SQLite is set, as the connections of the application have it."""
    from sqlalchemy.engine import Engine

    (engine,) = (found for found in gc.get_objects() if isinstance(found, Engine))
    with engine.connect() as connection:
        return {pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in pragmas}


def measure(protocol: Any, app: Any, request: Json, count: int, *, idle: bool) -> Json:
    """Send a request many times; what is needed to send it is made before."""
    prepared = [protocol.prepare(request) for _ in range(count)]
    gc.collect()
    gc.freeze()  # the collector meets what the requests make, and not what the process has
    took = protocol.run(app, [] if idle else prepared)
    gc.unfreeze()
    return dict(zip(("cpu", "time"), took, strict=True))


class Wsgi:
    """Calls applications by WSGI (PEP 3333)."""

    def prepare(self, request: Json) -> Json:
        """Return a new environ."""
        path, _, query = request["path"].partition("?")
        body = request["body"].encode()
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request["headers"].items()}
        if body:
            headers |= {"CONTENT_TYPE": headers.pop("HTTP_CONTENT_TYPE"), "CONTENT_LENGTH": str(len(body))}
        return {
            "REQUEST_METHOD": request["method"],
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **headers,
        }

    def run(self, app: Any, environs: list[Json]) -> tuple[float, float]:
        """Send requests; return the seconds of CPU, and of time."""

        def start_response(_status: str, _headers: list[tuple[str, str]], _error: Any = None) -> None:
            """Take the head of an answer."""

        cpu, began = time.process_time(), time.perf_counter()
        for environ in environs:
            body = app(environ, start_response)
            for _ in body:
                pass
            if type(body) is not list:
                body.close()
        return time.process_time() - cpu, time.perf_counter() - began

    def answer(self, app: Any, request: Json) -> Json:
        """Return the answer to one request."""
        head: list[Any] = []
        body = app(self.prepare(request), lambda *said: head.extend(said[:2]))
        text = b"".join(body).decode()
        with suppress(AttributeError):
            body.close()
        return {"status": int(head[0][:3]), "headers": head[1], "body": text}


class Asgi:
    """Calls applications by ASGI, one request after the other, in a loop that stays; uvloop's where it is installed."""

    def __init__(self) -> None:
        """Make the loop."""
        with suppress(ImportError):
            asyncio.set_event_loop_policy(importlib.import_module("uvloop").EventLoopPolicy())
        self.loop = asyncio.new_event_loop()

    def prepare(self, request: Json) -> tuple[Json, Callable[[], Any]]:
        """Return a new scope, and what hands over the body."""
        path, _, query = request["path"].partition("?")
        body = request["body"].encode()
        length = {"content-length": str(len(body))} if body else {}
        headers = {"host": "127.0.0.1:8000"} | request["headers"] | length
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request["method"],
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        messages: Iterator[Json] = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Json:
            return next(messages, {"type": "http.disconnect"})

        return scope, receive

    def run(self, app: Any, requests: list[tuple[Json, Callable[[], Any]]]) -> tuple[float, float]:
        """Send requests; return the seconds of CPU, and of time."""

        async def send(_message: Json) -> None:
            """Take a part of an answer."""

        async def all_of_them() -> tuple[float, float]:
            cpu, began = time.process_time(), time.perf_counter()
            for scope, receive in requests:
                await app(scope, receive, send)
            return time.process_time() - cpu, time.perf_counter() - began

        return self.loop.run_until_complete(all_of_them())

    def answer(self, app: Any, request: Json) -> Json:
        """Return the answer to one request."""
        messages: list[Json] = []

        async def send(message: Json) -> None:
            messages.append(message)

        scope, receive = self.prepare(request)
        self.loop.run_until_complete(app(scope, receive, send))
        headers = [(name.decode(), value.decode()) for name, value in messages[0]["headers"]]
        body = b"".join(message.get("body", b"") for message in messages[1:]).decode()
        return {"status": messages[0]["status"], "headers": headers, "body": body}


if __name__ == "__main__":
    main()
