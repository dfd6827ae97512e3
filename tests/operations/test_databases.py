"""A production server with SQLite and with PostgreSQL under concurrent load and faults.

`SECONDS=30 uv run pytest tests/operations/test_databases.py -s` runs longer and prints the figures.
"""

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
import requests

from tests.baking import BakedProject
from tests.operations.lost_network import create_network
from tests.operations.sites import Site, build_settings, run_concurrently, site
from tests.project.test_application import run_application_tests
from tests.servers import PostgreSQL

CLIENTS = 16
SECONDS = float(os.environ.get("SECONDS", "3"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, with_extras: BakedProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Return a server with each database."""
    folder, on_postgresql = tmp_path_factory.mktemp("server"), request.param == "postgresql"
    url = request.getfixturevalue("postgresql").database() if on_postgresql else f"sqlite:///{folder}/lab.sqlite"
    with site(with_extras, build_settings(with_extras, folder, DATABASE_URL=url)) as found:
        yield found


def test_the_application_tests_pass_on_postgresql(with_extras: BakedProject, postgresql: PostgreSQL) -> None:
    names = ["auth", "commands", "csrf", "errors", "limits", "migrations", "names", "notes", "sessions", "sign_in_race"]
    files = [f"test_{name}.py" for name in names]
    said = run_application_tests(with_extras, *files, env={"TEST_DATABASE_URL": postgresql.database()})
    assert "skipped" not in said


SendRequest = Callable[..., requests.Response]


def repeat_concurrently(server: Site, act: Callable[[SendRequest], requests.Response]) -> Counter[int]:
    """Let many clients repeat an action. Return the number of responses for each status."""
    assert server.cookie

    def client() -> list[int]:
        ask, ends, answers = server.sign_in(), time.monotonic() + SECONDS, []
        while time.monotonic() < ends:
            answers.append(act(ask).status_code)
        return answers

    counted = Counter(status for answers in run_concurrently(CLIENTS, client) for status in answers)
    print(f"{CLIENTS} clients, {SECONDS:g} s: {dict(counted)}")
    return counted


def test_concurrent_writes_get_no_lock_error_and_none_is_lost(server: Site) -> None:
    note = {"title": "written", "body": "x" * 500}
    counted = repeat_concurrently(server, lambda ask: ask("POST", "/api/notes", json=note))
    assert set(counted) == {201}, server.output
    ask, pages, kept = server.sign_in(), count(1), 0
    while found := len(ask("GET", f"/api/notes?page_size=100&page={next(pages)}").json()):
        kept += found
    assert kept == counted[201]


def test_optimistic_locking_prevents_lost_updates(server: Site) -> None:
    path = f"/api/notes/{server.sign_in()('POST', '/api/notes', json={'title': '0'}).json()['id']}"

    def add_one(ask: SendRequest) -> requests.Response:
        read = ask("GET", path)
        more = {"title": str(int(read.json()["title"]) + 1)}
        return ask("PUT", path, json=more, headers={"If-Match": read.headers["ETag"]})

    counted = repeat_concurrently(server, add_one)
    assert set(counted) <= {200, 409, 412}, server.output
    assert len(counted) > 1, "no update conflicted, so the test proves nothing"
    assert server.sign_in()("GET", path).json()["title"] == str(counted[200])


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
@pytest.mark.parametrize("end", [PostgreSQL.stop, PostgreSQL.kill], ids=["stopped", "killed"])
def test_after_a_restart_of_the_database_all_requests_succeed(
    server: Site, postgresql: PostgreSQL, end: Callable[[PostgreSQL], None]
) -> None:
    senders = [server.sign_in() for _ in range(CLIENTS)]
    assert (
        run_concurrently(CLIENTS, lambda: senders.pop()("GET", "/api/notes").status_code) == [200] * CLIENTS
    )  # all connections
    end(postgresql)
    answer = server.sign_in()("GET", "/api/notes")
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert server.request("GET", "/health/live").status_code == 200
    postgresql.start()
    postgresql.sql("SELECT 1")  # wait until it responds
    assert run_concurrently(CLIENTS, lambda: server.sign_in()("GET", "/api/notes").status_code) == [200] * CLIENTS


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_a_blocked_statement_times_out_and_does_not_block_other_requests(server: Site, postgresql: PostgreSQL) -> None:
    note, url = {"title": "written while the table is locked"}, server.settings["DATABASE_URL"]
    holding = "BEGIN; LOCK TABLE note IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(12); COMMIT"
    ask = server.sign_in()
    assert ask("POST", "/api/notes", json=note).status_code == 201
    with ThreadPoolExecutor(2) as pool:
        holder = pool.submit(postgresql.sql, holding, url)
        until_locked = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted"
        while postgresql.sql(until_locked, url).strip() == "0":
            time.sleep(0.1)
        started = time.monotonic()
        waiting = pool.submit(ask, "POST", "/api/notes", json=note)
        assert server.request("GET", "/health/ready").status_code == 200
        assert waiting.result().status_code == 503
        assert 4 < time.monotonic() - started < 11
        holder.result()
    assert ask("POST", "/api/notes", json=note).status_code == 201


def test_a_lost_network_to_postgresql_ends_requests_within_seconds(
    with_extras: BakedProject, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    with contextlib.ExitStack() as running:
        network = running.enter_context(create_network(postgresql))
        url = postgresql.database().replace("127.0.0.1", network.address)
        server = running.enter_context(site(with_extras, build_settings(with_extras, tmp_path, DATABASE_URL=url)))
        senders = [server.sign_in() for _ in range(CLIENTS)]
        assert run_concurrently(CLIENTS, lambda: senders.pop()("GET", "/api/notes").status_code) == [200] * CLIENTS
        network.lose()
        try:
            started = time.monotonic()
            answers = run_concurrently(
                4, lambda: server.sign_in()("POST", "/api/notes", json={"title": "lost"}).status_code
            )
            print(f"answered after {time.monotonic() - started:.1f} s: {answers}")
            assert answers == [503] * 4
            assert time.monotonic() - started < 25  # TCP alone would wait for 15 minutes
            assert server.request("GET", "/health/live").status_code == 200
        finally:
            network.restore()
        deadline = time.monotonic() + 60
        while 503 in run_concurrently(CLIENTS, lambda: server.request("GET", "/health/ready").status_code):
            assert time.monotonic() < deadline, server.output
        assert server.sign_in()("POST", "/api/notes", json={"title": "found again"}).status_code == 201
