"""Put load on the default project, with SQLite and `python -m`: `uv run python -m scripts.load`.

Each client signs in as its own user. On one connection, it lists its notes and writes one, as fast as possible. The
script prints the responses, their times and the memory of the server. All statuses except 200 and 201 are errors.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.baking import BakedProject, bake
from tests.client import ORIGIN, PASSWORD
from tests.operations.cluster import build_settings, prepare
from tests.production import HOST, Api, serving_api

USERS = """
from {package} import create_app
from {package}.extensions import db
from {package}.models import User
from {package}.sessions import hasher
with create_app().app_context():
    password_hash = hasher.hash({password!r})
    db.session.add_all(User(username=f"user-{{n}}", password_hash=password_hash) for n in range({number}))
    db.session.commit()
"""
ROW = "{:<8} {:>9} {:>9} {:>9} {:>9} {:>9}"


class Connection:
    """A keep-alive connection to a port of this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use the streams of `asyncio.open_connection`."""
        self.reader, self.writer, self.cookie = reader, writer, ""

    async def request(self, line: str, body: object = None) -> int:
        """Send a request and keep its cookie. Return the status, or 0 without a response."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{line} HTTP/1.1\r\nHost: {HOST}\r\nOrigin: {ORIGIN}\r\nSec-Fetch-Site: same-site\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n" if data else ""
        head += f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        try:
            self.writer.write(head.encode() + b"\r\n" + data)
            answer = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            await self.reader.readexactly(int(get_header("content-length", answer)))
        except (OSError, EOFError):
            return 0
        self.cookie = get_header("set-cookie", answer).partition(";")[0] or self.cookie
        return int(answer.split(" ", 2)[1])


def get_header(name: str, head: str) -> str:
    """Return the value of a header, or an empty string."""
    return next((line[len(name) + 2 :] for line in head.split("\r\n") if line.lower().startswith(f"{name}:")), "")


@dataclass
class Load:
    """The clients of a port, and their responses."""

    port: int
    times: dict[str, list[float]] = field(default_factory=lambda: {"list": [], "create": []})
    statuses: Counter[int] = field(default_factory=Counter)
    running: bool = True

    async def connect(self, cookie: str = "") -> Connection:
        """Return a new connection."""
        connection = Connection(*await asyncio.open_connection("127.0.0.1", self.port))
        connection.cookie = cookie
        return connection

    async def sign_in(self, number: int) -> str:
        """Sign in a user and return the cookie."""
        connection = await self.connect()
        credentials = {"username": f"user-{number}", "password": PASSWORD}
        assert await connection.request("POST /api/auth/login", credentials) == 200
        connection.writer.close()
        return connection.cookie

    async def client(self, cookie: str) -> None:
        """List and create notes repeatedly until the end."""
        connection, count = await self.connect(cookie), 0
        while self.running:
            note = {"title": f"note {count}", "body": "x" * 200}
            for what, line, body in (("list", "GET /api/notes", None), ("create", "POST /api/notes", note)):
                started = time.perf_counter()
                status = await connection.request(line, body)
                self.times[what].append(time.perf_counter() - started)
                self.statuses[status] += 1
                if status == 0:
                    await asyncio.sleep(0.1)
                    connection = await self.connect(cookie)
            count += 1
        connection.writer.close()


def main() -> None:
    """Bake a project, put load on it and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = bake(Path(folder, "out"))
        project.check_output("uv", "sync", "--quiet", "--no-dev")
        with serve(project, Path(folder), options.clients) as server:
            load = Load(server.port)
            asyncio.run(run_load(load, server, options.clients, options.seconds))
    print_report(load, options.seconds)
    sys.exit(not {200, 201}.issuperset(load.statuses))


@contextlib.contextmanager
def serve(project: BakedProject, folder: Path, users: int) -> Iterator[Api]:
    """Run a project in production with a number of users."""
    settings = build_settings(f"sqlite:///{folder / 'lab.sqlite'}")
    settings = {name: value for name, value in settings.items() if name not in ("WORKERS", "THREADS")}
    prepare(project, settings)
    code = USERS.format(package=project.package, password=PASSWORD, number=users)
    project.check_output(project.python, "-c", code, env=settings)
    with serving_api(folder, project, settings) as server:
        yield server


async def run_load(load: Load, server: Api, clients: int, seconds: int) -> None:
    """Run the clients and print the memory of the server at intervals."""
    cookies = [await load.sign_in(number) for number in range(clients)]
    tasks = [asyncio.create_task(load.client(cookie)) for cookie in cookies]
    print(f"{clients} clients for {seconds} s, {len(server.processes())} processes; resident memory in MiB:")
    for part in range(13):
        answers, memory = sum(load.statuses.values()), [p.memory_info().rss / 2**20 for p in server.processes()]
        print(f"  {part * seconds / 12:4.0f} s {sum(memory):7.1f}, {answers:7} responses", flush=True)
        await asyncio.sleep(seconds / 12 if part < 12 else 0)
    load.running = False
    await asyncio.gather(*tasks)


def print_report(load: Load, seconds: int) -> None:
    """Print the number of responses and their times."""
    print(ROW.format("", "responses", "per s", "p50 ms", "p99 ms", "max ms"))
    for what, times in load.times.items():
        cuts = statistics.quantiles(times, n=100)
        milliseconds = [f"{1000 * value:.0f}" for value in (cuts[49], cuts[98], max(times))]
        print(ROW.format(what, len(times), f"{len(times) / seconds:.0f}", *milliseconds))
    print(
        f"by status: {dict(load.statuses)}; errors: {sum(n for s, n in load.statuses.items() if s not in (200, 201))}"
    )


if __name__ == "__main__":
    main()
