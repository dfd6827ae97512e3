"""Run an application in this process and measure its CPU: started by `in_process`, with the Python of the application.

    python worker.py MODULE:EXPRESSION POLICIES

Reads one JSON object in each line, `{"request", "count", "idle"}`, and writes one: without a count the answer to the
request, with one the seconds of CPU and of time for that many requests; idle, nothing is sent and all else is done. It
imports nothing but the standard library and the application.
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
    """Make the application, then answer each line."""
    place, policies = sys.argv[1:]
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever an application prints is no answer
    name, _, expression = place.partition(":")
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
    """Have `create_app` register so many blueprints more, each with a policy, before it calls `init_cors`."""
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
        own = {"REQUEST_METHOD": request["method"], "PATH_INFO": unquote(path), "QUERY_STRING": query}
        environ = headers | own | {"SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "SCRIPT_NAME": ""}
        environ |= {"wsgi.input": BytesIO(body), "wsgi.errors": sys.stderr, "wsgi.multithread": True}
        setup_testing_defaults(environ)
        return environ

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
        body = app(self.prepare(request), lambda *result: head.extend(result[:2]))
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

    def prepare(self, request: Json) -> tuple[Json, Any]:
        """Return a new scope, and what hands over the body."""
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
        """Send requests; return the seconds of CPU, and of time; keep the messages of the answers if asked to."""

        async def send(message: Json) -> None:
            if kept is not None:
                kept.append(message)

        async def send_all() -> tuple[float, float]:
            cpu, began = time.process_time(), time.perf_counter()
            for scope, receive in requests:
                await app(scope, receive, send)
            return time.process_time() - cpu, time.perf_counter() - began

        return self.loop.run_until_complete(send_all())

    def answer(self, app: Any, request: Json) -> Json:
        """Return the answer to one request."""
        messages: list[Json] = []
        self.run(app, [self.prepare(request)], messages)
        headers = [(name.decode(), value.decode()) for name, value in messages[0]["headers"]]
        body = b"".join(message.get("body", b"") for message in messages[1:]).decode()
        return {"status": messages[0]["status"], "headers": headers, "body": body}


if __name__ == "__main__":
    main()
