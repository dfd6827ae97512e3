"""Send as many requests as a server takes, by wrk: one thread, some connections, a fixed time."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = """\
wrk.method = {method}
wrk.body = {body}
{headers}
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local form = '\\n{{"requests": %d, "us": %d, "bytes": %d, "failed": %d, "p50": %d, "p99": %d}}\\n'
  io.write(string.format(form, summary.requests, summary.duration, summary.bytes, failed,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    """What came back in one run: how many, requests in a second, bytes of an answer, percentiles of latency in ms."""

    requests: int
    rate: float
    size: float
    p50: float
    p99: float


def is_installed() -> bool:
    """Tell whether wrk is there."""
    return shutil.which("wrk") is not None


def script(folder: Path, name: str, request: dict[str, Any]) -> Path:
    """Write what wrk shall send."""
    headers = "\n".join(f"wrk.headers[{lua(key)}] = {lua(value)}" for key, value in request["headers"].items())
    body = lua(request["body"]) if request["body"] else "nil"
    file = folder / f"{name}.lua"
    file.write_text(SCRIPT.format(method=lua(request["method"]), body=body, headers=headers), "utf-8")
    return file


def lua(text: str) -> str:
    """Quote a text for Lua, which reads what JSON writes for ASCII."""
    return json.dumps(text)


def send(port: int, path: str, file: Path, seconds: int, connections: int = 16) -> Load:
    """Send requests for some seconds.

    Raises:
        AssertionError: an answer was an error, or none came: such a run counts for nothing.
    """
    url = f"http://127.0.0.1:{port}{path}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(file), url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30)
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert said["failed"] == 0, f"{said['failed']} of {said['requests']} requests failed: {url}\n{done.stdout}"
    assert said["requests"], f"no answer: {url}"
    rate, size = said["requests"] / said["us"] * 1e6, said["bytes"] / said["requests"]
    return Load(said["requests"], rate, size, said["p50"] / 1e3, said["p99"] / 1e3)
