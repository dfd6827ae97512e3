"""A fault under load affects only requests in flight. No write with a 2xx response is lost or duplicated.

A page can read every response of the API. After the recovery, the cluster serves again within seconds. With `-rP`,
pytest prints the effect of each fault.
"""

import socket
import struct
from collections.abc import Callable

import pytest

from tests.operations.cluster import Cluster
from tests.operations.writers import writing
from tests.serving import wait_until


def kill_worker(cluster: Cluster) -> None:
    cluster.servers[0].workers()[0].kill()


def wait_for_workers(cluster: Cluster) -> None:
    wait_until(lambda: len(cluster.servers[0].workers()) == 2, lambda: cluster.servers[0].output)


def start_postgresql(cluster: Cluster) -> None:
    """Start PostgreSQL and wait until it has recovered."""
    cluster.postgresql.start()
    cluster.get_titles()


def sign_in_and_start_redis(cluster: Cluster) -> None:
    """Check that users can sign in without Redis, then start it. Only rate limits need Redis."""
    clients = [server.client() for server in cluster.servers]
    assert [client.sign_in().status for client in clients] == [200, 200]
    cluster.redis.start()


# the fault, the recovery, and whether the clients use Caddy, which can respond instead of a server
FAULTS: dict[str, tuple[Callable[[Cluster], None], Callable[[Cluster], None], bool]] = {
    "a worker is killed": (kill_worker, wait_for_workers, False),
    "a server is killed": (lambda cluster: cluster.servers[0].kill(), lambda cluster: cluster.servers[0].start(), True),
    "PostgreSQL is killed": (lambda cluster: cluster.postgresql.kill(), start_postgresql, False),
    "Redis is killed": (lambda cluster: cluster.redis.kill(), sign_in_and_start_redis, False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_affects_only_requests_in_flight(cluster: Cluster, fault: str) -> None:
    fail, recover, by_caddy = FAULTS[fault]
    connect = [cluster.caddy.client] if by_caddy else [server.client for server in cluster.servers]
    with writing(connect, cluster.client) as writers:
        fail(cluster)
        recover(cluster)
        writers.wait_until_served(fault)
    writers.check(cluster.get_titles())


def begin_to_write(cluster: Cluster, port: int, title: str) -> socket.socket:
    """Send half of a request that writes a note."""
    body = f'{{"title": "{title}"}}'
    headers = {**cluster.client.headers, "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = ["POST /api/notes HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body[:10]]
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall("\r\n".join(lines).encode())
    return connection


def test_slow_clients_do_not_delay_other_clients(cluster: Cluster) -> None:
    slow = [begin_to_write(cluster, cluster.caddy.port, "slow") for _ in range(40)]
    with writing([cluster.caddy.client], cluster.client) as writers:
        for _ in range(3):
            for connection in slow:
                connection.sendall(b"s")
            writers.wait_for_writes(20)
        writers.wait_until_served("40 clients send a byte a second")
    writers.check(cluster.get_titles())
    assert writers.get_failures() == []
    for connection in slow:
        connection.close()


def test_clients_that_disconnect_during_a_request_have_no_effect(cluster: Cluster) -> None:
    said = len(cluster.servers[0].output)
    with writing([cluster.servers[0].client], cluster.client) as writers:
        for number in range(100):
            connection = begin_to_write(cluster, cluster.servers[0].port, "gone")
            if number % 2:  # half of them with a reset, as after a network failure
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        writers.wait_until_served("100 clients go away")
    writers.check(cluster.get_titles())
    assert writers.get_failures() == []
    assert "gone" not in cluster.get_titles()
    assert "Traceback" not in cluster.servers[0].output[said:]
