"""Sign-in attempts are counted in Redis for all servers, and in memory while Redis is down."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.baking import BakedProject
from tests.operations.sites import Site, build_settings, run_concurrently, site
from tests.servers import Redis

WARNING = "falling back to in-memory storage"


@pytest.fixture(scope="module")
def settings(with_extras: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the settings of servers that share a database."""
    return build_settings(with_extras, tmp_path_factory.mktemp("shared"), WORKERS="2")


@pytest.fixture
def counting_server(with_extras: BakedProject, settings: dict[str, str], redis: Redis) -> Iterator[tuple[Site, str]]:
    """Return a server that counts in a Redis database, and the URI of the database."""
    uri = redis.database()
    with site(with_extras, settings | {"RATELIMIT_STORAGE_URI": uri}) as found:
        yield found, uri


def test_two_servers_share_one_rate_limit(with_extras: BakedProject, settings: dict[str, str], redis: Redis) -> None:
    shared = {"RATELIMIT_STORAGE_URI": redis.database(), "LOGIN_ACCOUNT_LIMIT": "10 per hour"}
    with site(with_extras, settings | shared) as one, site(with_extras, settings | shared) as other:
        guesses = [one.login, other.login] * 15
        counted = Counter(run_concurrently(30, lambda: guesses.pop()("a wrong guess").status_code))
    assert counted == {401: 10, 429: 20}


@pytest.mark.parametrize("fault", [Redis.kill, Redis.freeze], ids=["killed", "hanging"])
def test_users_can_sign_in_while_redis_is_down_and_counting_resumes(
    counting_server: tuple[Site, str], redis: Redis, fault: Callable[[Redis], None]
) -> None:
    server, uri = counting_server
    assert run_concurrently(16, lambda: server.login().status_code) == [200] * 16
    counted = redis.size(uri)
    assert counted > 0
    fault(redis)
    try:
        assert run_concurrently(16, lambda: server.login().status_code) == [200] * 16
    finally:
        (redis.start if fault is Redis.kill else redis.thaw)()
    warned = server.output.count(WARNING)
    assert 1 <= warned <= 2 * 4  # once for each thread at most, not once for each request
    deadline, before = time.monotonic() + 60, redis.size(uri)
    while redis.size(uri) == before:
        assert time.monotonic() < deadline, "Redis is running again, but nothing is counted there"
        server.request("POST", "/api/auth/login", json={"username": f"unknown {time.time()}", "password": "x"})
    # a request at the moment of the fallback can pass uncounted, and this is logged
    assert all("Failed to rate limit" in line for line in server.output.splitlines() if "Traceback" in line)


def test_a_server_starts_without_redis(with_extras: BakedProject, settings: dict[str, str], tmp_path: Path) -> None:
    unreachable = Redis(tmp_path).database()
    with site(
        with_extras, settings | {"RATELIMIT_STORAGE_URI": unreachable, "LOGIN_ACCOUNT_LIMIT": "3 per hour"}
    ) as server:
        counted = Counter(server.login("a wrong guess").status_code for _ in range(12))
        assert 3 <= counted[401] <= 6  # three in the memory of each worker
        assert counted[429] == 12 - counted[401]
