"""Clients that write notes and read them while something breaks, and remember what they were told.

with writing(servers, signed_in) as writers:
    server.kill()
    server.start()
    seconds = writers.seconds_until_served()
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
    """A request, when it was sent and when it was answered, and the answer, if one came."""

    title: str  # of the note that was sent, "" for a request that reads
    sent: float
    answered: float
    answer: Answer | None

    @property
    def status(self) -> int:
        """The status of the answer, 0 for none."""
        return self.answer.status if self.answer else 0


@dataclass
class Writers:
    """The clients, each in a thread of its own, and what they did."""

    clients: list[Client]
    pause: float
    reads: bool
    name: str = field(default_factory=lambda: secrets.token_hex(4))  # no other's notes have these titles
    attempts: list[Attempt] = field(default_factory=list)  # appending is one step for all threads
    ended: threading.Event = field(default_factory=threading.Event)

    def write(self, number: int) -> None:
        """Write a note, read the newest, and again, until the end."""
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
            time.sleep(0.05)  # a port on which nothing listens refuses at once

    def wait_until_served(self, fault: str) -> None:
        """Wait until every client has had a note taken that it sent after this moment; print how long that was."""
        now = time.monotonic()
        wait_until(
            lambda: len(self._get_recovery_times(now)) == len(self.clients),
            lambda: f"{self.count_statuses(now)} since then",
            15,
        )
        print(
            f"{fault}: served again after {max(self._get_recovery_times(now).values()):.2f} s; answers {self.count_statuses()}"
        )

    def wait_for_writes(self, number: int) -> None:
        """Wait until a number of notes more has been taken."""
        enough = len(self.get_accepted()) + number
        wait_until(lambda: len(self.get_accepted()) >= enough, lambda: f"{self.count_statuses()}")

    def get_accepted(self, since: float = 0) -> list[Attempt]:
        """Return the writes that were sent since a moment and answered by 201."""
        return [a for a in list(self.attempts) if a.title and a.status == 201 and a.sent >= since]

    def _get_recovery_times(self, since: float) -> dict[str, float]:
        """Return the seconds that passed until each client had a note taken."""
        latest_first = reversed(self.get_accepted(since))  # so that the first of each client stays
        return {a.title.split("-")[1]: a.answered - since for a in latest_first}

    def count_statuses(self, since: float = 0) -> dict[int, int]:
        """Count the answers by status, 0 for none."""
        return dict(sorted(Counter(a.status for a in list(self.attempts) if a.sent >= since).items()))

    def get_failures(self) -> list[Attempt]:
        """Return the requests that were not answered as on a good day."""
        return [a for a in self.attempts if a.status != (201 if a.title else 200)]

    def check(self, stored: Sequence[str]) -> None:
        """Assert that nothing is lost or double, and that a page can read every answer of the API.

        Args:
            stored: the titles of all notes of the database, when everything is over.

        """
        times = Counter(stored)
        assert [a.title for a in self.get_accepted() if not times[a.title]] == [], "lost, though answered by 201"
        assert [title for title, count in times.items() if count > 1] == [], "sent once, and stored twice"
        answers = [a.answer for a in self.attempts if a.answer]
        wrong = [a for a in answers if not a.is_from_proxy and not a.is_readable]
        assert not wrong, [(a.status, a.headers.items(), a.body[:200]) for a in wrong]
        assert self.get_accepted(), "nothing was written at all"


@contextlib.contextmanager
def writing(
    connect: Sequence[Callable[[], Client]], signed_in: Client, clients: int = 8, pause: float = 0, reads: bool = True
) -> Iterator[Writers]:
    """Write and read for as long as the block lasts.

    Args:
        connect: what the clients ask in turn, as functions that return a new client of it.
        signed_in: whose cookie they send.
        clients: how many there are.
        pause: seconds between two notes of each.
        reads: whether they read as well.

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
