"""Start everything for development with one command: database, API and front end.

    uv run dev.py

Ctrl-C stops everything. Set PORT and FRONTEND_PORT to use other ports than 8000 and 5173.
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
ADDRESSES = ROOT / "instance" / "dev.env"  # URLs of the servers, for `flask cors` in another terminal
FLASK = [sys.executable, "-m", "flask", "--app", "{{ cookiecutter.__package }}"]
ENVIRONMENT = {**os.environ, "PYTHONUNBUFFERED": "1"}
STOP_TIMEOUT = 5  # seconds between SIGTERM and SIGKILL

signals: list[int] = []  # not an Event: a second signal inside its set() would deadlock
say = functools.partial(print, flush=True)  # unbuffered: lines stay in order with those of the servers


class Server(NamedTuple):
    name: str
    setting: str  # the name of the setting with its URL
    port: int
    command: list[str]
    folder: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


def main() -> None:
    """Prepare the project, then run its servers until Ctrl-C."""
    for name in {"SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"} & set(dir(signal)):
        signal.signal(getattr(signal, name), lambda number, _: signals.append(number))
    if importlib.util.find_spec("flask") is None:
        sys.exit("Flask is not installed for this Python. Run `pip install uv`, then `uv run dev.py`.")
    try:
        write_env()
    except OSError as error:
        sys.exit(f".env cannot be written: {error}. Make the folder writable.")
    servers = [prepare_api(), *prepare_front_end()]
    ENVIRONMENT.update((s.setting, s.url) for s in servers if not read_setting(s.setting))
    if not run([*FLASK, "seed", "--migrate"], ROOT):
        sys.exit(0 if signals else "The API cannot start: `flask seed` failed. Fix the error above.")
    if not signals:
        serve(servers)


def write_env() -> None:
    """Create `.env` from `.env.example` with a new secret key, unless it exists."""
    target = ROOT / ".env"
    if target.exists():
        return
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    text = re.sub("(?m)^SECRET_KEY=.*$", f"SECRET_KEY={secrets.token_hex(32)}", example)
    if os.environ.get("CODESPACES"):  # one origin: GitHub requires a sign-in at the port of the API
        text = re.sub("(?m)^(FRONTEND_ORIGINS|VITE_API_URL)=.*\n", "", text)
        text += "FRONTEND_ORIGINS=none\nVITE_API_URL=\nTRUSTED_HOSTS=localhost,.app.github.dev\n"
    target.touch(mode=0o600)
    target.write_text(text, encoding="utf-8", newline="\n")


def prepare_api() -> Server:
    """Return Flask's development server, which reloads when a file changes."""
    port = get_free_port("PORT", 8000)
    ENVIRONMENT["PORT"] = str(port)  # for Vite's proxy: .env may have the port of production
    command = [*FLASK, "run", "--debug", "--no-debugger", *get_host_options(port)]
    server = Server("API", "API_URL", port, command, ROOT)
    if port != 8000 and read_setting("FRONTEND_ORIGINS") != "none":  # otherwise Vite proxies requests
        ENVIRONMENT.setdefault("VITE_API_URL", server.url)
    return server


def prepare_front_end() -> Iterator[Server]:
    """Yield Vite, or print why the API runs without it."""
    folder = ROOT / (read_setting("FRONTEND_DIR") or "frontend")
    if not (folder / "package.json").exists():
        if folder.name != "frontend":
            sys.exit(f"FRONTEND_DIR is {folder}, which has no package.json. Set it to another folder.")
        return
    node, node_version = shutil.which("node"), "missing, or npm is missing"
    if node and shutil.which("npm"):
        node_version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    version = tuple(int(part) for part in re.findall(r"\d+", node_version)[:2])
    if node is None or not ((20, 19) <= version < (21,) or version >= (22, 12)):
        say(f"Node.js is {node_version}. The front end needs 20.19, or 22.12 and newer. Only the API runs.")
        return
    port = get_free_port("FRONTEND_PORT", 5173)
    vite = [node, "node_modules/vite/bin/vite.js", "--clearScreen", "false"]
    yield Server("front end", "FRONTEND_URL", port, [*vite, *get_host_options(port), "--strictPort"], folder)


def get_host_options(port: int) -> list[str]:
    """Return the options for host and port. HOST=0.0.0.0 allows other devices, such as a phone."""
    return ["--host", read_setting("HOST") or "127.0.0.1", "--port", str(port)]


def read_setting(name: str) -> str:
    """Return a setting from the environment, otherwise from `.env`."""
    values = re.findall(f"(?m)^{name}=(.*)$", (ROOT / ".env").read_text(encoding="utf-8"))
    return os.environ.get(name, "".join(values[-1:])).strip()


def get_free_port(variable: str, default: int) -> int:
    """Return the port, or exit with an error if it is invalid or in use."""
    value = os.environ.get(variable) or str(default)
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        sys.exit(f"{variable} is {value!r}, which is not a port. Set it to a number from 1 to 65535.")
    for address in ("127.0.0.1", "::1"):  # a program on either would get some requests
        with contextlib.suppress(OSError), socket.create_connection((address, int(value)), timeout=0.5):
            sys.exit(
                f"Port {value} is in use by another program, perhaps an earlier dev.py. "
                f"Stop that program, or set the variable {variable} to a free port."
            )
    return int(value)


def install_packages(folder: Path) -> bool:
    """Install the front end's packages if they are missing or old. Return whether they are installed."""
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    if not lock.exists() or (installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime):
        return True
    say("Installing the front end's packages with npm ci. This takes up to a minute.")
    success = run([shutil.which("npm") or "npm", "ci", "--no-audit", "--no-fund"], folder)
    if not success and not signals:
        say("The front end's packages could not be installed (see above). The API runs without it.")
    return success


def serve(servers: list[Server]) -> None:
    """Run the servers until one ends or a signal arrives, then stop all of them."""
    running: list[tuple[Server, subprocess.Popen[bytes]]] = []
    try:
        ADDRESSES.parent.mkdir(exist_ok=True)
        ADDRESSES.write_text("".join(f"{s.setting}={s.url}\n" for s in servers), encoding="utf-8")
        for server in servers:  # one after the other: the API answers before packages are installed
            if server.folder == ROOT or install_packages(server.folder):
                running.append((server, start(server.command, server.folder)))
                watch(running, server)
        if not signals:
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
    """Return when the awaited server answers, or a signal arrives. Exit if a server ends."""
    while not signals and not (awaited and is_answering(awaited.port)):
        for server, process in running:
            if process.poll() is not None:
                sys.exit(f"The {server.name} ended with exit code {process.returncode}. See above.")
        time.sleep(0.1)


def is_answering(port: int) -> bool:
    """Return whether a server answers on this port, with any status."""
    connection = http.client.HTTPConnection("localhost", port, timeout=2)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request("GET", "/health/live")
        return connection.getresponse().status > 0
    return False


def run(command: list[str], folder: Path) -> bool:
    """Run a command until it ends or a signal arrives. Return whether it succeeded."""
    process = start(command, folder)
    while process.poll() is None and not signals:
        time.sleep(0.05)
    stop(process)
    return process.returncode == 0


def start(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a program in its own process group, so that its child processes can be stopped with it."""
    windows = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    group: dict[str, Any] = {"start_new_session": True, "creationflags": windows}
    return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, **group)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a program and its child processes, with SIGTERM and then SIGKILL."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True)  # noqa: S607
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: the second for zombies
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT)


if __name__ == "__main__":
    main()
