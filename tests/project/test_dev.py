"""`dev.py` starts everything, prints the addresses and stops all processes."""

import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.baking import BakedProject, bake
from tests.running import DEFAULTS, READY, preferred_port, running

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals, and no scripts without .exe")


@pytest.fixture(scope="session")
def api_only(get_installed: Callable[[str], BakedProject]) -> BakedProject:
    return get_installed("without-front-end")


@pytest.fixture
def occupied_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture
def empty_path(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def write_script(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("ports", [DEFAULTS, (0, 0)], ids=["default ports", "other ports"])
def test_both_servers_respond_at_the_printed_addresses(with_node: BakedProject, ports: tuple[int, int]) -> None:
    with running(with_node, ports=ports) as started:
        started.wait_until_ready()
        addresses = re.findall(r"(?m)^  The .*: (http://localhost:\d+)$", started.output)
        assert addresses == [started.page, started.api]
        assert requests.get(f"{started.api}/api/public/hello", timeout=30).json() == {"message": "Hello, World!"}
        assert "<html" in requests.get(started.page, timeout=30).text
        assert f'"VITE_API_URL": "{started.api}"' in requests.get(f"{started.page}/src/api.ts", timeout=30).text
        demo = re.search(r"Sign in as (\S+) with the password (\S+)\. ", started.output)
        assert demo is not None
        answer = requests.post(
            f"{started.api}/api/auth/login",
            json={"username": demo[1], "password": demo[2]},
            headers={"Origin": started.page},
            timeout=30,
        )
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, started.page)


def test_another_port_is_allowed_and_other_terminals_know_it(with_node: BakedProject) -> None:
    def explain(origin: str) -> int:
        command = ["flask", "cors", "explain", "GET", "/api/notes", "--credentials", "--origin", origin]
        return with_node.run(with_node.python, "-m", *command).returncode

    listed, addresses = "http://localhost:5173", with_node.path / "instance" / "dev.env"
    with running(with_node) as started:
        started.wait_until_ready()
        for origin in (listed, started.page):
            answer = requests.get(f"{started.api}/api/auth/me", headers={"Origin": origin}, timeout=30)
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert explain(origin) == 0, origin
        written = addresses.read_text("utf-8")
        assert written == f"API_URL={started.api}\nFRONTEND_URL={started.page}\n"
        started.stop()
    assert not addresses.exists()
    addresses.write_text(written, "utf-8")  # as after a killed dev.py
    try:
        assert (explain(listed), explain(started.page)) == (0, 1)
    finally:
        addresses.unlink()


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_stops_everything(with_node: BakedProject, number: signal.Signals) -> None:
    with running(with_node) as started:
        started.wait_until_ready()
        assert len(started.processes()) >= 4, "dev.py, Flask, its reloader and Vite"
        assert started.stop(number) == 0
        assert started.processes() == []
        assert "Traceback" not in started.output


@posix
def test_ctrl_c_stops_dev_py_under_uv_run(with_node: BakedProject) -> None:
    with running(with_node, command=["uv", "run", "dev.py"]) as started:
        started.wait_until_ready()
        os.killpg(started.process.pid, signal.SIGINT)
        started.wait()
        assert started.wait_until_gone()


@posix
@pytest.mark.parametrize("moment", ["Running upgrade", "Debug mode: on"])
def test_a_signal_during_the_start_stops_everything(api_only: BakedProject, moment: str) -> None:
    shutil.rmtree(api_only.path / "instance", ignore_errors=True)
    with running(api_only) as started:
        started.wait_until(lambda: moment in started.output)
        assert started.stop() == 0
        assert started.processes() == []
        assert "Traceback" not in started.output


@posix
def test_many_signals_stop_everything(api_only: BakedProject) -> None:
    with running(api_only) as started:
        started.wait_until_ready()
        for _ in range(20_000):  # the terminal, uv and the user can all send signals
            os.kill(started.process.pid, signal.SIGTERM)
        assert started.wait() == 0
        assert started.processes() == []


def test_without_a_front_end_the_api_runs_alone(api_only: BakedProject) -> None:
    with running(api_only) as started:
        started.wait_until_ready()
        assert requests.get(f"{started.api}/health/ready", timeout=30).json() == {"status": "ok"}
        assert "The front end" not in started.output
        assert "Node.js" not in started.output


def test_a_clone_without_dotenv_gets_one_with_its_own_secret_key(tmp_path: Path, api_only: BakedProject) -> None:
    clone = tmp_path / "clone"
    api_only.check_output("git", "clone", "--quiet", ".", str(clone))
    assert not (clone / ".env").exists()
    project = BakedProject(clone, (), ())
    with running(project, command=[api_only.python, "dev.py"]) as started:
        started.wait_until_ready()
    assert re.search("(?m)^SECRET_KEY=[0-9a-f]{64}$", project.read(".env"))
    assert project.read(".env") != api_only.read(".env")


def test_an_existing_dotenv_is_not_changed(api_only: BakedProject) -> None:
    before = api_only.read(".env")
    with running(api_only) as started:
        started.wait_until_ready()
    assert api_only.read(".env") == before


@pytest.mark.parametrize("variable", ["PORT", "FRONTEND_PORT"])
def test_an_occupied_port_is_reported_in_one_sentence(
    with_node: BakedProject, occupied_port: int, variable: str
) -> None:
    with running(with_node, {variable: str(occupied_port)}) as started:
        assert started.wait() == 1
        [line] = started.output.splitlines()
        assert line.startswith(f"Port {occupied_port} is in use")
        assert f"the variable {variable} to" in line


@pytest.mark.parametrize("value", ["eighty", "0", "70000", "-1", "8000 "])
def test_an_invalid_port_is_reported_in_one_sentence(api_only: BakedProject, value: str) -> None:
    with running(api_only, {"PORT": value}) as started:
        assert started.wait() == 1
        assert started.output == f"PORT is {value!r}, which is not a port. Set it to a number from 1 to 65535.\n"


def test_without_node_the_api_runs_alone_with_a_message(
    get_installed: Callable[[str], BakedProject], empty_path: Path
) -> None:
    with running(get_installed("default"), {"PATH": str(empty_path)}) as started:
        started.wait_until_ready()
        assert "Node.js is missing" in started.output
        assert f"The API: {started.api}\n" in started.output
        assert "The front end: " not in started.output


@posix
@pytest.mark.parametrize(
    ("version", "good"),
    [
        *[("", False), ("v18.20.4", False), ("v20.18.3", False), ("v21.7.3", False), ("v22.11.0", False)],
        *[("v20.19.0", True), ("v22.12.0", True), ("v24.1.0", True)],
    ],
)
def test_the_front_end_starts_only_with_a_node_version_for_vite(
    get_baked: Callable[[str], BakedProject], empty_path: Path, version: str, good: bool
) -> None:
    write_script(empty_path, "node", f"echo {version}")
    write_script(empty_path, "npm", "exit 9")
    env = {"PATH": str(empty_path), "FRONTEND_PORT": str(preferred_port(0))}
    count = "import runpy; print(len(list(runpy.run_path('dev.py')['prepare_front_end']())))"
    said = get_baked("default").run(sys.executable, "-c", count, env=env).stdout
    refusal = f"Node.js is {version}. The front end needs 20.19, or 22.12 and newer. Only the API runs.\n"
    assert said == ("1\n" if good else f"{refusal}0\n")


def test_vite_proxies_to_the_port_of_dev_py_and_not_of_dotenv(api_only: BakedProject) -> None:
    code = "import runpy; dev = runpy.run_path('dev.py'); api = dev['prepare_api']"
    code += "; api.__globals__['get_free_port'] = lambda *_: 8000; api(); print(dev['ENVIRONMENT']['PORT'])"
    said = api_only.check_output(api_only.python, "-c", code)
    assert said.split() == ["8000"]


def test_without_network_the_api_runs_alone_with_a_message(with_node: BakedProject, tmp_path: Path) -> None:
    path = tmp_path / "copy"
    shutil.copytree(with_node.path, path, ignore=shutil.ignore_patterns("node_modules", ".venv", ".git"))
    nowhere = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_fetch_retries": "0"}
    nowhere["npm_config_cache"] = str(tmp_path / "cache")
    with running(BakedProject(path, (), ()), nowhere, [with_node.python, "dev.py"]) as started:
        started.wait_until_ready()
        assert "The front end's packages could not be installed" in started.output
        assert "The front end: " not in started.output


def test_insecure_settings_are_reported_and_nothing_starts(api_only: BakedProject) -> None:
    with running(api_only, {"FRONTEND_ORIGINS": "*"}) as started:
        assert started.wait() == 1
        assert "FRONTEND_ORIGINS has '*' with credentials" in started.output
        assert "The API cannot start: `flask seed` failed" in started.output
        assert "Traceback" not in started.output
        assert READY not in started.output


def test_without_flask_the_message_names_the_command(api_only: BakedProject) -> None:
    with running(api_only, command=[sys.executable, "-S", "dev.py"]) as started:  # without installed packages
        assert started.wait() == 1
        [line] = started.output.splitlines()
        assert line.startswith("Flask is not installed for this Python")
        assert "`uv run dev.py`" in line


@posix
@pytest.mark.parametrize(("part_of_command", "name"), [("vite.js", "front end"), ("flask", "API")])
def test_if_one_server_exits_the_other_is_stopped_with_a_message(
    with_node: BakedProject, part_of_command: str, name: str
) -> None:
    with running(with_node) as started:
        started.wait_until_ready()
        children = [p for p in started.processes() if p.ppid() == started.process.pid]
        [victim] = [p for p in children if any(part_of_command in word for word in p.cmdline())]
        victim.kill()
        assert started.wait() == 1
        assert f"The {name} ended with exit code" in started.output
        assert started.processes() == []


def test_a_code_change_is_served_without_a_manual_restart(tmp_path: Path, api_only: BakedProject) -> None:
    project = bake(tmp_path / "out", {"frontend": False})
    with running(project, command=[api_only.python, "dev.py"]) as started:
        started.wait_until_ready()
        views = project.path / project.package / "public.py"
        views.write_text(views.read_text("utf-8").replace("Hello, World!", "Hello, Lab!"), encoding="utf-8")
        started.wait_until(lambda: "Hello, Lab!" in get_hello(started.api))


def get_hello(api: str) -> str:
    try:
        return requests.get(f"{api}/api/public/hello", timeout=30).text
    except requests.ConnectionError:
        return ""  # it is restarting
