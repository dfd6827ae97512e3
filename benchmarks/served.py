"""Requests in a second: every target on its server at once, one after the other under load, in rounds."""

import contextlib
import http.client
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks import load
from benchmarks.cases import CASES, Answer, Case, sign_in
from benchmarks.in_process import refuse_differences
from benchmarks.targets import Target
from tests.running import preferred_port
from tests.serving import serving

WARM_UP = 60  # requests, each over a connection of its own, so that every worker gets some


class Server:
    """A target that serves a port."""

    def __init__(self, target: Target, port: int, scripts: Path, process: psutil.Process) -> None:
        """Sign its users in, and write what wrk sends."""
        self.target, self.port = target, port
        self.requests: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Answer] = {}
        self.scripts: dict[str, Path] = {}
        users = {case.user for case in CASES.values() if case.user} if "list of 20" in target.cases else set()
        cookies = {user: self.ask(self.plain(sign_in(user))).cookie for user in sorted(users)}
        etag = ""
        for name in target.cases:
            case = CASES[name]
            self.requests[name] = case.as_json(cookies.get(case.user or "", ""), etag, cors=target.cors)
            for _ in range(WARM_UP // (6 if name == "login" else 1)):
                self.answers[name] = self.ask(self.requests[name])
            etag = self.answers[name].get("ETag") if name == "one by id" else etag
            self.scripts[name] = load.script(scripts, f"{port}-{len(self.scripts)}", self.requests[name])
        self.processes = [process, *process.children(recursive=True)]  # all are there: they have answered

    def plain(self, case: Case) -> dict[str, Any]:
        """Return a request that needs no cookie."""
        return case.as_json("", "", cors=self.target.cors)

    def ask(self, request: dict[str, Any]) -> Answer:
        """Send one request, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(request["method"], request["path"], request["body"] or None, request["headers"])
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read().decode())

    def cpu(self) -> float:
        """Return the seconds of CPU that it has taken, workers included."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes)

    def under_load(self, name: str, seconds: int) -> dict[str, float]:
        """Return the figures of a run, whose answers have to be as long as the one that was looked at."""
        # a sign-in is two dozen milliseconds of hashing: a queue of them would be as long as a round
        how = {"connections": 4, "seconds": seconds + 1} if name == "login" else {"seconds": seconds}
        before = self.cpu()
        found = load.send(self.port, CASES[name].path, self.scripts[name], **how)
        answer = self.answers[name]
        least = len(answer.body) + sum(len(key) + len(value) for key, value in answer.headers)
        assert least * 0.9 < found.size < least * 1.1 + 100, (
            f"{self.target.name}, {name}: {found.size} bytes, not {least}"
        )
        cpu = (self.cpu() - before) / found.requests * 1e6
        return {"rate": found.rate, "p50": found.p50, "p99": found.p99, "cpu": cpu}


@contextlib.contextmanager
def servers(targets: Sequence[Target]) -> Iterator[list[Server]]:
    """Run all servers at once; those that are not under load do nothing."""
    with contextlib.ExitStack() as stack:
        scripts = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = []
        for target in targets:
            port = preferred_port(0)
            command = [word.format(port=port) for word in target.command]
            stack.enter_context(serving(command, port, target.folder, {**target.env, "PORT": str(port)}))
            found.append(Server(target, port, scripts, psutil.Process().children()[-1]))
        for name, case in CASES.items():
            refuse_differences(case, {s.target: s.answers[name] for s in found if name in s.target.cases})
        yield found


def measure(targets: Sequence[Target], rounds: int, seconds: int) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Return each figure of the runs, by case and target, in the order of the rounds."""
    found: dict[str, Any] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    with servers(targets) as running:
        for number in range(rounds):
            for name in CASES:
                asked = [server for server in running if name in server.target.cases]
                random.Random(number).shuffle(asked)  # nobody is always the one after the heaviest
                for server in asked:
                    for what, value in server.under_load(name, seconds).items():
                        found[name][server.target.name][what].append(value)
    return found
