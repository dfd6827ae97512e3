"""SQLite under load: a full disk or a killed server loses no write with a 2xx response."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.baking import BakedProject, require
from tests.client import USER, Client
from tests.operations.cluster import build_settings, prepare
from tests.operations.writers import writing
from tests.production import Api, serving_api
from tests.serving import wait_until


@dataclass
class SmallDisk:
    """A server with SQLite on a disk that can be filled."""

    server: Api
    folder: Path
    client: Client

    def fill(self) -> None:
        """Fill the disk completely."""
        with (self.folder / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(4096))

    def free(self) -> None:
        """Free the disk again."""
        (self.folder / "ballast").unlink()

    def get_titles(self) -> list[str]:
        """Return the titles of all notes and check the integrity of the file."""
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
        settings = build_settings(f"sqlite:///{folder / 'lab.sqlite'}")
        prepare(with_extras, settings, USER)
        with serving_api(tmp_path_factory.mktemp("server"), with_extras, settings) as server:
            client = server.client()
            assert client.sign_in().status == 200
            yield SmallDisk(server, folder, client)
    finally:
        subprocess.run([*root, "umount", "-l", str(folder)], check=True)


def test_a_full_disk_refuses_writes_and_allows_reads(small_disk: SmallDisk) -> None:
    with writing([small_disk.server.client], small_disk.client) as writers:
        small_disk.fill()
        wait_until(lambda: writers.count_statuses().get(503, 0) > 10, lambda: f"{writers.count_statuses()}")
        small_disk.free()
        writers.wait_until_served("the disk is full")
    writers.check(small_disk.get_titles())
    assert {attempt.status for attempt in writers.attempts if not attempt.title} == {200}


def test_a_killed_server_loses_no_data_in_sqlite(small_disk: SmallDisk) -> None:
    with writing([small_disk.server.client], small_disk.client) as writers:
        small_disk.server.kill()
        small_disk.server.start()
        writers.wait_until_served("a server with SQLite is killed")
    writers.check(small_disk.get_titles())
