"""Start everything for development by one command: database, API and front end.

    uv run dev.py

Ctrl-C stops everything. The variables PORT and FRONTEND_PORT choose other ports than 8000 and 5173.
"""

import contextlib
import functools
import http.client
import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent
ADDRESSES = ROOT / "instance" / "dev.env"  # of what runs, for `flask cors` in another terminal
FLASK = [sys.executable, "-m", "flask", "--app", "{{ cookiecutter.__package }}"]
ENVIRONMENT = {**os.environ, "PYTHONUNBUFFERED": "1"}
GRACE = 5  # seconds between asking a program to end and ending it

stopping: list[int] = []  # the signals that came; no Event: a second signal within its set() would deadlock
say = functools.partial(print, flush=True)  # at once, so that our lines stand among those of the servers


class Server(NamedTuple):
    name: str
    setting: str  # which has its address
    port: int
    command: list[str]
    folder: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


def main() -> None:
    """Prepare the project, then run its servers until Ctrl-C."""
    for name in {"SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"} & set(dir(signal)):
        signal.signal(getattr(signal, name), lambda number, _: stopping.append(number))
    if importlib.util.find_spec("flask") is None:
        sys.exit("Flask is not installed for this Python: run `pip install uv`, then `uv run dev.py`.")
    try:
        write_env()
    except OSError as error:
        sys.exit(f".env cannot be written ({error}): make the folder writable.")
    servers = [api(), *front_end()]
    ENVIRONMENT.update((s.setting, s.url) for s in servers if not read_setting(s.setting))
    if not run([*FLASK, "seed", "--migrate"], ROOT):
        sys.exit(0 if stopping else "The API cannot start: `flask seed` failed, see above.")
    if not stopping:
        serve(servers)


def write_env() -> None:
    """Write `.env` from `.env.example`, with a secret key of its own, unless there is one."""
    target = ROOT / ".env"
    if target.exists():
        return
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    text = re.sub("(?m)^SECRET_KEY=.*$", f"SECRET_KEY={secrets.token_hex(32)}", example)
    if os.environ.get("CODESPACES"):  # one origin: GitHub asks for a sign-in on the port of the API
        text = re.sub("(?m)^(FRONTEND_ORIGINS|VITE_API_URL)=.*\n", "", text)
        text += "FRONTEND_ORIGINS=none\nVITE_API_URL=\nTRUSTED_HOSTS=localhost,.app.github.dev\n"
    target.touch(mode=0o600)
    target.write_text(text, encoding="utf-8", newline="\n")


def api() -> Server:
    """Return Flask's development server; it reloads by itself when a file changes."""
    port = free_port("PORT", 8000)
    ENVIRONMENT["PORT"] = str(port)  # to Vite's proxy: .env may name another one, for production
    command = [*FLASK, "run", "--debug", "--no-debugger", *listen(port)]
    server = Server("API", "API_URL", port, command, ROOT)
    if port != 8000 and read_setting("FRONTEND_ORIGINS") != "none":  # else Vite passes requests on
        ENVIRONMENT.setdefault("VITE_API_URL", server.url)
    return server


def front_end() -> Iterator[Server]:
    """Yield Vite, or say in one sentence why the API runs without it."""
    folder = ROOT / (read_setting("FRONTEND_DIR") or "frontend")
    if not (folder / "package.json").exists():
        if folder.name != "frontend":
            sys.exit(f"FRONTEND_DIR is {folder}, which has no package.json: set it to another folder.")
        return
    node, answer = shutil.which("node"), "missing, or its npm is"
    if node and shutil.which("npm"):
        answer = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    version = tuple(int(part) for part in re.findall(r"\d+", answer)[:2])
    if node is None or not ((20, 19) <= version < (21,) or version >= (22, 12)):
        say(f"Node.js is {answer}; the front end needs 20.19, or 22.12 and newer: the API runs without it.")
        return
    port = free_port("FRONTEND_PORT", 5173)
    vite = [node, "node_modules/vite/bin/vite.js", "--clearScreen", "false"]
    yield Server("front end", "FRONTEND_URL", port, [*vite, *listen(port), "--strictPort"], folder)


def listen(port: int) -> list[str]:
    """Return the options of both servers: HOST=0.0.0.0 lets other devices in, such as a phone."""
    return ["--host", read_setting("HOST") or "127.0.0.1", "--port", str(port)]


def read_setting(name: str) -> str:
    """Return a setting from the environment, or else from `.env`."""
    written = re.findall(f"(?m)^{name}=(.*)$", (ROOT / ".env").read_text(encoding="utf-8"))
    return os.environ.get(name, "".join(written[-1:])).strip()


def free_port(variable: str, default: int) -> int:
    """Return the port to use, or end with one sentence when there is none."""
    value = os.environ.get(variable) or str(default)
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        sys.exit(f"{variable} is {value!r}, which is not a port: set it to a number from 1 to 65535.")
    for address in ("127.0.0.1", "::1"):  # a program on either would get some of our requests
        with contextlib.suppress(OSError), socket.create_connection((address, int(value)), timeout=0.5):
            sys.exit(
                f"Port {value} is taken by another program, perhaps an earlier dev.py: "
                f"stop that one, or set the variable {variable} to a free port."
            )
    return int(value)


def install_packages(folder: Path) -> bool:
    """Install the front end's packages if they are missing or old; return whether they are there."""
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    if not lock.exists() or (installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime):
        return True
    say("Installing the front end's packages with npm ci; this takes up to a minute.")
    done = run([shutil.which("npm") or "npm", "ci", "--no-audit", "--no-fund"], folder)
    if not done and not stopping:
        say("The front end's packages could not be installed (see above), so the API runs without it.")
    return done


def serve(servers: list[Server]) -> None:
    """Run the servers until one ends or somebody stops us, and leave none behind."""
    running: list[tuple[Server, subprocess.Popen[bytes]]] = []
    try:
        ADDRESSES.parent.mkdir(exist_ok=True)
        ADDRESSES.write_text("".join(f"{s.setting}={s.url}\n" for s in servers), encoding="utf-8")
        for server in servers:  # one after the other: the API answers before packages are installed
            if server.folder == ROOT or install_packages(server.folder):
                running.append((server, start(server.command, server.folder)))
                watch(running, server)
        if not stopping:
            for server, _ in reversed(running):
                say(f"  The {server.name}: {server.url}")
            say(f"  Settings: {ROOT / '.env'}")
            say("  Sign in as demo with the password demo-password. Ctrl-C stops everything.")
        watch(running)
    finally:
        ADDRESSES.unlink(missing_ok=True)
        for _, process in running:
            stop(process)


def watch(running: list[tuple[Server, subprocess.Popen[bytes]]], awaited: Server | None = None) -> None:
    """Return when the awaited server answers, or somebody stops us; end when a server does."""
    while not stopping and not (awaited and answers(awaited.port)):
        for server, process in running:
            if process.poll() is not None:
                sys.exit(f"The {server.name} ended with exit code {process.returncode}: see above.")
        time.sleep(0.1)


def answers(port: int) -> bool:
    """Return whether a server answers on this port, whatever it says."""
    connection = http.client.HTTPConnection("localhost", port, timeout=2)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request("GET", "/health/live")
        return connection.getresponse().status > 0
    return False


def run(command: list[str], folder: Path) -> bool:
    """Run one command to its end, or until somebody stops us; return whether it succeeded."""
    process = start(command, folder)
    while process.poll() is None and not stopping:
        time.sleep(0.05)
    stop(process)
    return process.returncode == 0


def start(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a program in a group of its own, so that whatever it starts can be stopped with it."""
    windows = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    group: dict[str, Any] = {"start_new_session": True, "creationflags": windows}
    return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, **group)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a program and all that it has started to end, and end what has not after a while."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True)  # noqa: S607
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: the latter for zombies
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)


if __name__ == "__main__":
    main()
