"""Measure requests a second. All servers run at the same time, and wrk puts load on one of them in each round."""

import contextlib
import http.client
import json
import random
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.cases import CASES, Answer, Case, check_same_answer, sign_in
from benchmarks.in_process import Figures, supports
from benchmarks.targets import Target
from tests.running import preferred_port
from tests.serving import serving

WARM_UP = 60  # requests, each over a new connection, so that every worker gets some
SCRIPT = """\
wrk.method = {method}
wrk.body = {body}
{headers}
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local form = '\\n{{"requests": %d, "us": %d, "bytes": %d, "failed": %d, "p99": %d}}\\n'
  io.write(string.format(form, summary.requests, summary.duration, summary.bytes, failed, latency:percentile(99)))
end
"""


class Server:
    """A running target on a port."""

    def __init__(self, target: Target, port: int, scripts: Path, process: psutil.Process) -> None:
        """Sign in the users and write the wrk scripts. A JSON string is also a Lua string."""
        self.target, self.port = target, port
        self.answers: dict[str, Answer] = {}
        self.scripts: dict[str, Path] = {}
        cookies: dict[str, str] = {}
        for case in (case for case in CASES.values() if supports(target, case.name)):
            if case.user and case.user not in cookies:
                cookies[case.user] = self.send(sign_in(case.user).as_json()).cookie
            request = case.as_json(cookies.get(case.user or "", ""))
            for _ in range(WARM_UP // (6 if case.name == "login" else 1)):
                self.answers[case.name] = self.send(request)
            lines = (f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}" for k, v in request["headers"].items())
            headers = "\n".join(lines)
            body = json.dumps(request["body"]) if request["body"] else "nil"
            self.scripts[case.name] = scripts / f"{port}-{len(self.scripts)}.lua"
            text = SCRIPT.format(method=json.dumps(case.method), body=body, headers=headers)
            self.scripts[case.name].write_text(text, "utf-8")
        self.processes = [process, *process.children(recursive=True)]  # all workers have responded, so all are running

    def send(self, request: dict[str, Any]) -> Answer:
        """Send one request over a new connection."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(request["method"], request["path"], request["body"] or None, request["headers"])
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read().decode())

    def cpu(self) -> float:
        """Return the CPU seconds so far, including the workers."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes)

    def measure_under_load(self, case: Case, seconds: int) -> dict[str, float]:
        """Return the figures of a run. An error or a response of another length is an AssertionError."""
        # hashing takes about 25 ms, so a long queue of sign-ins would exceed the round
        connections, seconds = (4, seconds + 1) if case.name == "login" else (16, seconds)
        url, script = f"http://127.0.0.1:{self.port}{case.path}", str(self.scripts[case.name])
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script, url]
        before = self.cpu()
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30)
        said, answer = json.loads(done.stdout.strip().splitlines()[-1]), self.answers[case.name]
        assert said["failed"] == 0, f"{said['failed']} requests failed: {url}\n{done.stdout}"
        expected = len(answer.body) + sum(len(key) + len(value) for key, value in answer.headers)
        size = said["bytes"] / said["requests"]
        assert expected * 0.9 < size < expected * 1.1 + 100, (
            f"{self.target.name}, {case.name}: {size} bytes instead of {expected}"
        )
        rate, cpu = said["requests"] / said["us"] * 1e6, (self.cpu() - before) / said["requests"] * 1e6
        return {"rate": rate, "p99": said["p99"] / 1e3, "served cpu": cpu}


@contextlib.contextmanager
def servers(targets: Sequence[Target]) -> Iterator[list[Server]]:
    """Run all servers at the same time. Servers without load are idle."""
    with contextlib.ExitStack() as stack:
        scripts = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = []
        for target in targets:
            port = preferred_port(0)
            command = [word.format(port=port) for word in target.command]
            stack.enter_context(serving(command, port, target.folder, {**target.env, "PORT": str(port)}))
            found.append(Server(target, port, scripts, psutil.Process().children()[-1]))
        for name, case in CASES.items():
            check_same_answer(case, {s.target.name: s.answers[name] for s in found if name in s.answers})
        yield found


def measure(targets: Sequence[Target], rounds: int, seconds: int) -> dict[str, Figures]:
    """Return the requests a second, the latency and the CPU, by case and target, in the order of the rounds."""
    found: Any = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    with servers(targets) as running:
        for number in range(rounds):
            for case in CASES.values():
                supporting = [server for server in running if case.name in server.scripts]
                for server in random.Random(number).sample(
                    supporting, len(supporting)
                ):  # the order changes, so no server always follows the slowest
                    for what, value in server.measure_under_load(case, seconds).items():
                        found[what][case.name][server.target.name].append(value)
    return dict(found)
