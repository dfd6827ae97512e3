"""What breaks under load costs what is in flight: nothing that was answered 2xx is lost, nothing is there twice.

Where the API itself answers, a page can read the answer, and what is mended serves again within seconds. With `-rP`,
pytest prints what each fault came to.
"""

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.baking import BakedProject, require
from tests.client import USER, Client
from tests.cluster import HOST, Api, Cluster, prepare, production, serving_api, serving_cluster
from tests.servers import postgresql, redis
from tests.serving import until
from tests.writers import Writers, writing


@pytest.fixture(scope="module")
def cluster(with_extras: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with (
        postgresql(fsync="on") as database,
        redis() as store,
        serving_cluster(folder, with_extras, database, store) as found,
    ):
        yield found


def kill_worker(cluster: Cluster) -> None:
    os.kill(cluster.servers[0].workers()[0], signal.SIGKILL)


def wait_for_workers(cluster: Cluster) -> None:
    until(lambda: len(cluster.servers[0].workers()) == 2, lambda: cluster.servers[0].said)


def kill_main_process(cluster: Cluster) -> None:
    """Leave the workers alone, as the kernel does that needs memory."""
    process, workers = cluster.servers[0].process, cluster.servers[0].processes()[1:]
    assert process
    process.kill()
    process.wait()
    until(lambda: not any(worker.is_running() for worker in workers), lambda: f"{workers} still run")


def freeze_postgresql(cluster: Cluster) -> None:
    """Let it hang for as long as a load balancer takes to see that."""
    cluster.postgresql.freeze()
    with contextlib.closing(Client(cluster.servers[0].port, HOST, seconds=1)) as probe:
        until(lambda: probe.tries("GET", "/health/ready") is None, lambda: cluster.servers[0].said)


def start_postgresql(cluster: Cluster) -> None:
    """Start it, and wait until it has looked through its files."""
    cluster.postgresql.start()
    cluster.stored()


def sign_in_and_start_redis(cluster: Cluster) -> None:
    """See that people sign in without Redis, which is needed for limits only."""
    clients = [server.client() for server in cluster.servers]
    assert [client.sign_in().status for client in clients] == [200, 200]
    cluster.redis.start()


# what breaks and how it is mended; whether the clients come by Caddy, which may answer instead of a server
FAULTS: dict[str, tuple[Callable[[Cluster], None], Callable[[Cluster], None], bool]] = {
    "a worker is killed": (kill_worker, wait_for_workers, False),
    "the main process is killed": (kill_main_process, lambda cluster: cluster.servers[0].start(), True),
    "a server is killed": (lambda cluster: cluster.servers[0].kill(), lambda cluster: cluster.servers[0].start(), True),
    "PostgreSQL is killed": (lambda cluster: cluster.postgresql.kill(), start_postgresql, False),
    "Redis is killed": (lambda cluster: cluster.redis.kill(), sign_in_and_start_redis, False),
    "PostgreSQL hangs": (freeze_postgresql, lambda cluster: cluster.postgresql.thaw(), False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_what_is_in_flight(cluster: Cluster, fault: str) -> None:
    breaks, mends, by_caddy = FAULTS[fault]
    connect = [cluster.caddy.client] if by_caddy else [server.client for server in cluster.servers]
    with writing(connect, cluster.signed_in) as writers:
        breaks(cluster)
        mends(cluster)
        told(fault, writers, writers.seconds_until_served())
    writers.check(cluster.stored())


def told(fault: str, writers: Writers, seconds: float) -> None:
    assert seconds < 15
    print(f"{fault}: served again after {seconds:.2f} s; answers {writers.statuses()}")


@dataclass
class SmallDisk:
    """A server with SQLite on a disk that can be filled."""

    server: Api
    folder: Path
    signed_in: Client

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(4096))

    def free(self) -> None:
        """Free what was filled."""
        (self.folder / "ballast").unlink()

    def stored(self) -> list[str]:
        """Return the titles of all notes; the file must be whole."""
        with contextlib.closing(sqlite3.connect(self.folder / "lab.sqlite")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return [title for (title,) in connection.execute("SELECT title FROM note")]


@pytest.fixture(scope="module")
def small_disk(with_extras: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    folder = tmp_path_factory.mktemp("small")
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    mount = [*root, "mount", "-t", "tmpfs", "-o", "size=8m,mode=777", "tmpfs", str(folder)]
    mounted = shutil.which(mount[0]) and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    require(mounted, "a small disk needs the rights to mount it: run the tests as root, or allow sudo without password")
    try:
        settings = production(f"sqlite:///{folder / 'lab.sqlite'}")
        prepare(with_extras, settings, USER)
        with serving_api(tmp_path_factory.mktemp("server"), with_extras, settings) as server:
            signed_in = server.client()
            assert signed_in.sign_in().status == 200
            yield SmallDisk(server, folder, signed_in)
    finally:
        subprocess.run([*root, "umount", "-l", str(folder)], check=True)


def test_a_full_disk_refuses_writes_and_answers_reads(small_disk: SmallDisk) -> None:
    with writing([small_disk.server.client], small_disk.signed_in) as writers:
        small_disk.fill()
        until(lambda: writers.statuses().get(503, 0) > 10, lambda: f"{writers.statuses()}")
        small_disk.free()
        told("the disk is full", writers, writers.seconds_until_served())
    writers.check(small_disk.stored())
    assert {attempt.status for attempt in writers.attempts if not attempt.title} == {200}


def test_a_killed_server_loses_nothing_of_sqlite(small_disk: SmallDisk) -> None:
    with writing([small_disk.server.client], small_disk.signed_in) as writers:
        small_disk.server.kill()
        small_disk.server.start()
        told("a server with SQLite is killed", writers, writers.seconds_until_served())
    writers.check(small_disk.stored())


def begin_to_write(cluster: Cluster, title: str) -> socket.socket:
    """Send half of a request that writes a note."""
    body = f'{{"title": "{title}"}}'
    headers = {**cluster.signed_in.headers, "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = ["POST /api/notes HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body[:10]]
    connection = socket.create_connection(("127.0.0.1", cluster.servers[0].port))
    connection.sendall("\r\n".join(lines).encode())
    return connection


def test_clients_that_send_a_byte_a_second_hold_nobody_up(cluster: Cluster) -> None:
    slow = [begin_to_write(cluster, "slow") for _ in range(40)]
    with writing([cluster.servers[0].client], cluster.signed_in) as writers:
        for _ in range(3):
            for connection in slow:
                connection.sendall(b"s")
            writers.until_taken(20)
        told("40 clients send a byte a second", writers, writers.seconds_until_served())
    writers.check(cluster.stored())
    assert writers.failed() == []
    for connection in slow:
        connection.close()


def test_clients_that_go_away_in_the_middle_leave_nothing_behind(cluster: Cluster) -> None:
    said = len(cluster.servers[0].said)
    with writing([cluster.servers[0].client], cluster.signed_in) as writers:
        for number in range(100):
            connection = begin_to_write(cluster, "gone")
            if number % 2:  # half of them by a reset, as when a network is lost
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        told("100 clients go away", writers, writers.seconds_until_served())
    writers.check(cluster.stored())
    assert writers.failed() == []
    assert "gone" not in cluster.stored()
    assert "Traceback" not in cluster.servers[0].said[said:]
