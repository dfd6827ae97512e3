"""Run an application in this process and measure its CPU. `in_process` starts it with the Python of the application.

    python worker.py MODULE:EXPRESSION POLICIES

Each line of stdin is a JSON object `{"request", "count", "idle"}`, and each line of stdout is the result. Without a
count, the result is the response. With a count, it is the seconds of CPU and time for that many requests. With idle,
nothing is sent, which measures the overhead. It imports only the standard library and the application.
"""

import asyncio
import gc
import importlib
import inspect
import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any, TypeAlias
from urllib.parse import unquote
from wsgiref.util import setup_testing_defaults

Json: TypeAlias = dict[str, Any]


def main() -> None:
    """Create the application, then run each command."""
    application, policies = sys.argv[1:]
    answers, sys.stdout = sys.stdout, sys.stderr  # output of the application must not mix with results
    name, _, expression = application.partition(":")
    names = vars(importlib.import_module(name))
    if int(policies):
        add_policies(names, int(policies))
    app = eval(expression, names)
    protocol = Asgi() if inspect.iscoroutinefunction(type(app).__call__) else Wsgi()
    for line in sys.stdin:
        command = json.loads(line)
        if "count" in command:
            result: Json = measure(protocol, app, command["request"], command["count"], idle=command.get("idle", False))
        else:
            result = protocol.answer(app, command["request"])
        print(json.dumps(result), file=answers, flush=True)


def add_policies(names: Json, number: int) -> None:
    """Register additional blueprints with policies when `create_app` calls `init_cors`."""
    crossorigin, blueprint = importlib.import_module("crossorigin"), importlib.import_module("flask").Blueprint

    def init_cors(app: Any, **options: Any) -> None:
        for n in range(number):
            more = blueprint(f"more{n}", __name__, url_prefix=f"/api/more-{n}")
            more.add_url_rule("", view_func=dict)
            crossorigin.cors(more, origins=["https://app.example.com"], credentials=True)
            app.register_blueprint(more)
        crossorigin.init_cors(app, **options)

    names["init_cors"] = init_cors


def measure(protocol: Any, app: Any, request: Json, count: int, *, idle: bool) -> Json:
    """Send a request many times. All requests are prepared before the measurement."""
    prepared = [protocol.prepare(request) for _ in range(count)]
    gc.collect()
    gc.freeze()  # garbage collection sees only the objects of the requests
    seconds = protocol.run(app, [] if idle else prepared)
    gc.unfreeze()
    return dict(zip(("cpu", "time"), seconds, strict=True))


class Wsgi:
    """Calls applications by WSGI (PEP 3333)."""

    def prepare(self, request: Json) -> Json:
        """Return a new environ."""
        path, _, query = request["path"].partition("?")
        body = request["body"].encode()
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request["headers"].items()}
        if body:
            headers |= {"CONTENT_TYPE": headers.pop("HTTP_CONTENT_TYPE"), "CONTENT_LENGTH": str(len(body))}
        own = {"REQUEST_METHOD": request["method"], "PATH_INFO": unquote(path), "QUERY_STRING": query}
        environ = headers | own | {"SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "SCRIPT_NAME": ""}
        environ |= {"wsgi.input": BytesIO(body), "wsgi.errors": sys.stderr, "wsgi.multithread": True}
        setup_testing_defaults(environ)
        return environ

    def run(self, app: Any, environs: list[Json]) -> tuple[float, float]:
        """Send requests and return the seconds of CPU and time."""

        def start_response(_status: str, _headers: list[tuple[str, str]], _error: Any = None) -> None:
            """Accept the head of a response."""

        cpu, started = time.process_time(), time.perf_counter()
        for environ in environs:
            body = app(environ, start_response)
            for _ in body:
                pass
            if type(body) is not list:
                body.close()
        return time.process_time() - cpu, time.perf_counter() - started

    def answer(self, app: Any, request: Json) -> Json:
        """Return the response to one request."""
        head: list[Any] = []
        body = app(self.prepare(request), lambda *result: head.extend(result[:2]))
        text = b"".join(body).decode()
        with suppress(AttributeError):
            body.close()
        return {"status": int(head[0][:3]), "headers": head[1], "body": text}


class Asgi:
    """Calls applications by ASGI, one request at a time, in one event loop. It uses uvloop if installed."""

    def __init__(self) -> None:
        """Create the event loop."""
        with suppress(ImportError):
            asyncio.set_event_loop_policy(importlib.import_module("uvloop").EventLoopPolicy())
        self.loop = asyncio.new_event_loop()

    def prepare(self, request: Json) -> tuple[Json, Any]:
        """Return a new scope and the function that receives the body."""
        path, _, query = request["path"].partition("?")
        body = request["body"].encode()
        length = {"content-length": str(len(body))} if body else {}
        headers = {"host": "127.0.0.1:8000"} | request["headers"] | length
        own = {"method": request["method"], "path": unquote(path), "raw_path": path.encode()}
        own |= {
            "query_string": query.encode(),
            "headers": [(n.lower().encode(), v.encode()) for n, v in headers.items()],
        }
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": ""}
        scope |= {"client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8000), "state": {}} | own
        messages: Iterator[Json] = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Json:
            return next(messages, {"type": "http.disconnect"})

        return scope, receive

    def run(self, app: Any, requests: list[tuple[Json, Any]], kept: list[Json] | None = None) -> tuple[float, float]:
        """Send requests and return the seconds of CPU and time. Append the response messages to `kept`."""

        async def send(message: Json) -> None:
            if kept is not None:
                kept.append(message)

        async def send_all() -> tuple[float, float]:
            cpu, started = time.process_time(), time.perf_counter()
            for scope, receive in requests:
                await app(scope, receive, send)
            return time.process_time() - cpu, time.perf_counter() - started

        return self.loop.run_until_complete(send_all())

    def answer(self, app: Any, request: Json) -> Json:
        """Return the response to one request."""
        messages: list[Json] = []
        self.run(app, [self.prepare(request)], messages)
        headers = [(name.decode(), value.decode()) for name, value in messages[0]["headers"]]
        body = b"".join(message.get("body", b"") for message in messages[1:]).decode()
        return {"status": messages[0]["status"], "headers": headers, "body": body}


if __name__ == "__main__":
    main()
