"""Clients that write and read notes during a fault and record the responses.

with writing(servers, signed_in) as writers:
    server.kill()
    server.start()
    writers.wait_until_served("a server is killed")
writers.check(titles_in_database)
"""

import contextlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.client import CONNECTION_ERRORS, Answer, Client
from tests.serving import wait_until


@dataclass
class Attempt:
    """A request, its times and its response, if there is one."""

    title: str  # of the note, "" for a read
    sent: float
    answered: float
    answer: Answer | None

    @property
    def status(self) -> int:
        """The status of the response, 0 without a response."""
        return self.answer.status if self.answer else 0


@dataclass
class Writers:
    """The clients, each with its own thread, and their attempts."""

    clients: list[Client]
    pause: float
    reads: bool
    name: str = field(default_factory=lambda: secrets.token_hex(4))  # makes the titles unique
    attempts: list[Attempt] = field(default_factory=list)  # appending is thread-safe
    ended: threading.Event = field(default_factory=threading.Event)

    def write(self, number: int) -> None:
        """Write a note and read the newest ones, repeatedly until the end."""
        client = self.clients[number]
        for count in range(1_000_000):
            if self.ended.wait(self.pause):
                break
            title = f"{self.name}-{number}-{count}"
            self._attempt(client, title, "POST", "/api/notes", {"title": title})
            if self.reads:
                self._attempt(client, "", "GET", "/api/notes?page_size=5")

    def _attempt(self, client: Client, title: str, method: str, path: str, body: object = None) -> None:
        sent, answer = time.monotonic(), None
        with contextlib.suppress(*CONNECTION_ERRORS):
            answer = client.request(method, path, body)
        self.attempts.append(Attempt(title, sent, time.monotonic(), answer))
        if answer is None:
            time.sleep(0.05)  # without a listener, a connection is refused at once

    def wait_until_served(self, fault: str) -> None:
        """Wait until every client has written a note again. Print how long that took."""
        now = time.monotonic()
        wait_until(
            lambda: len(self._get_recovery_times(now)) == len(self.clients),
            lambda: f"{self.count_statuses(now)} since then",
            15,
        )
        seconds = max(self._get_recovery_times(now).values())
        print(f"{fault}: served again after {seconds:.2f} s, responses {self.count_statuses()}")

    def wait_for_writes(self, number: int) -> None:
        """Wait until a number of further notes is accepted."""
        enough = len(self.get_accepted()) + number
        wait_until(lambda: len(self.get_accepted()) >= enough, lambda: f"{self.count_statuses()}")

    def get_accepted(self, since: float = 0) -> list[Attempt]:
        """Return the writes since a time that got a 201."""
        return [a for a in list(self.attempts) if a.title and a.status == 201 and a.sent >= since]

    def _get_recovery_times(self, since: float) -> dict[str, float]:
        """Return the seconds until the first accepted note of each client."""
        latest_first = reversed(self.get_accepted(since))  # so the first write of each client remains
        return {a.title.split("-")[1]: a.answered - since for a in latest_first}

    def count_statuses(self, since: float = 0) -> dict[int, int]:
        """Count the responses by status, 0 without a response."""
        return dict(sorted(Counter(a.status for a in list(self.attempts) if a.sent >= since).items()))

    def get_failures(self) -> list[Attempt]:
        """Return the attempts without the expected status."""
        return [a for a in self.attempts if a.status != (201 if a.title else 200)]

    def check(self, stored: Sequence[str]) -> None:
        """Assert that no note is lost or duplicated, and that a page can read every response of the API.

        Args:
            stored: the titles of all notes in the database at the end.

        """
        times = Counter(stored)
        assert [a.title for a in self.get_accepted() if not times[a.title]] == [], "lost after a 201"
        assert [title for title, count in times.items() if count > 1] == [], "sent once, but stored twice"
        answers = [a.answer for a in self.attempts if a.answer]
        wrong = [a for a in answers if not a.is_from_proxy and not a.is_readable]
        assert not wrong, [(a.status, a.headers.items(), a.body[:200]) for a in wrong]
        assert self.get_accepted(), "nothing was written"


@contextlib.contextmanager
def writing(
    connect: Sequence[Callable[[], Client]], signed_in: Client, clients: int = 8, pause: float = 0, reads: bool = True
) -> Iterator[Writers]:
    """Write and read until the block ends.

    Args:
        connect: functions that return a new client. The clients use them in turn.
        signed_in: the client with the session cookie.
        clients: the number of clients.
        pause: the seconds between two notes of a client.
        reads: whether the clients also read.

    """
    found = Writers([connect[n % len(connect)]().copy_cookie(signed_in) for n in range(clients)], pause, reads)
    threads = [threading.Thread(target=found.write, args=(n,), daemon=True) for n in range(clients)]
    for thread in threads:
        thread.start()
    try:
        found.wait_for_writes(clients)
        yield found
    finally:
        found.ended.set()
        for thread in threads:
            thread.join(60)
        for client in found.clients:
            client.close()
