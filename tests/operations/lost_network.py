"""PostgreSQL behind a network that a test can interrupt. Every packet is dropped, as with an unplugged cable.

A network namespace has one end of a link, and a program there forwards connections to PostgreSQL.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tests.baking import require
from tests.servers import PostgreSQL

MISSING_RIGHTS = "a network namespace needs root and iproute2: run the tests as root, apt-get install iproute2"
FORWARDER = """
import asyncio, sys
address, port, path = sys.argv[1:]

async def copy(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

async def serve(reader, writer):
    inner_reader, inner_writer = await asyncio.open_unix_connection(path)
    await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer), return_exceptions=True)

async def main():
    server = await asyncio.start_server(serve, address, int(port))
    print("ready", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@dataclass
class Network:
    """A link whose other end has the address of PostgreSQL."""

    address: str
    link: str

    def lose(self) -> None:
        """Drop every packet."""
        subprocess.run(["ip", "link", "set", self.link, "down"], check=True)

    def restore(self) -> None:
        """Deliver packets again."""
        subprocess.run(["ip", "link", "set", self.link, "up"], check=True)


@contextlib.contextmanager
def create_network(postgresql: PostgreSQL) -> Iterator[Network]:
    """Create a network until the block ends. PostgreSQL has the same port there."""
    name, number = f"db{os.getpid()}", os.getpid() % 250
    require(shutil.which("ip") and os.geteuid() == 0, MISSING_RIGHTS)
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    require(made.returncode == 0, MISSING_RIGHTS)
    local, remote = f"10.213.{number}.1", f"10.213.{number}.2"
    commands = (
        f"ip link add {name}a type veth peer name {name}b netns {name}",
        f"ip addr add {local}/30 dev {name}a",
        f"ip link set {name}a up",
        f"ip -n {name} addr add {remote}/30 dev {name}b",
        f"ip -n {name} link set {name}b up",
    )
    path = str(postgresql.folder / f".s.PGSQL.{postgresql.port}")
    forward = ["ip", "netns", "exec", name, sys.executable, "-c", FORWARDER, remote, str(postgresql.port), path]
    try:
        for command in commands:
            subprocess.run(command.split(), check=True)
        with subprocess.Popen(forward, stdout=subprocess.PIPE) as forwarder:
            assert forwarder.stdout
            try:
                assert forwarder.stdout.readline() == b"ready\n"
                yield Network(remote, f"{name}a")
            finally:
                forwarder.kill()
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)  # this also deletes the link
