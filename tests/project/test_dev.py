"""`dev.py`: one command starts everything, says where it is, and leaves nothing behind."""

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
def api_only(installed: Callable[[str], BakedProject]) -> BakedProject:
    return installed("without-front-end")


@pytest.fixture
def port_of_another() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture
def no_programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def script(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("ports", [DEFAULTS, (0, 0)], ids=["usual ports", "other ports"])
def test_both_servers_answer_where_it_says_they_do(with_node: BakedProject, ports: tuple[int, int]) -> None:
    with running(with_node, ports=ports) as started:
        started.until_ready()
        addresses = re.findall(r"(?m)^  The .*: (http://localhost:\d+)$", started.said)
        assert addresses == [started.page, started.api]
        assert requests.get(f"{started.api}/api/public/hello", timeout=30).json() == {"message": "Hello, World!"}
        assert "<html" in requests.get(started.page, timeout=30).text
        assert f'"VITE_API_URL": "{started.api}"' in requests.get(f"{started.page}/src/api.ts", timeout=30).text
        demo = re.search(r"Sign in as (\S+) with the password (\S+)\. ", started.said)
        assert demo is not None
        answer = requests.post(
            f"{started.api}/api/auth/login",
            json={"username": demo[1], "password": demo[2]},
            headers={"Origin": started.page},
            timeout=30,
        )
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, started.page)


def test_another_port_may_call_beside_the_listed_origins_and_other_terminals_know(with_node: BakedProject) -> None:
    def explain(origin: str) -> int:
        command = ["flask", "cors", "explain", "GET", "/api/notes", "--credentials", "--origin", origin]
        return with_node.run(with_node.python, "-m", *command).returncode

    listed, addresses = "http://localhost:5173", with_node.path / "instance" / "dev.env"
    with running(with_node) as started:
        started.until_ready()
        for origin in (listed, started.page):
            answer = requests.get(f"{started.api}/api/auth/me", headers={"Origin": origin}, timeout=30)
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert explain(origin) == 0, origin
        written = addresses.read_text("utf-8")
        assert written == f"API_URL={started.api}\nFRONTEND_URL={started.page}\n"
        started.stop()
    assert not addresses.exists()
    addresses.write_text(written, "utf-8")  # as a dev.py leaves it behind that was killed
    try:
        assert (explain(listed), explain(started.page)) == (0, 1)
    finally:
        addresses.unlink()


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_stops_everything(with_node: BakedProject, number: signal.Signals) -> None:
    with running(with_node) as started:
        started.until_ready()
        assert len(started.processes()) >= 4, "dev.py, Flask, its reloader and Vite"
        assert started.stop(number) == 0
        assert started.processes() == []
        assert "Traceback" not in started.said


@posix
def test_ctrl_c_in_the_terminal_stops_what_uv_run_started(with_node: BakedProject) -> None:
    with running(with_node, command=["uv", "run", "dev.py"]) as started:
        started.until_ready()
        os.killpg(started.process.pid, signal.SIGINT)
        started.ends()
        assert started.leaves_nothing()


@posix
@pytest.mark.parametrize("moment", ["Running upgrade", "Debug mode: on"])
def test_a_signal_at_any_moment_leaves_nothing_behind(api_only: BakedProject, moment: str) -> None:
    shutil.rmtree(api_only.path / "instance", ignore_errors=True)
    with running(api_only) as started:
        started.until(lambda: moment in started.said)
        assert started.stop() == 0
        assert started.processes() == []
        assert "Traceback" not in started.said


@posix
def test_a_burst_of_signals_stops_everything_too(api_only: BakedProject) -> None:
    with running(api_only) as started:
        started.until_ready()
        for _ in range(20_000):  # a terminal, uv and an impatient user each send theirs, at any moment
            os.kill(started.process.pid, signal.SIGTERM)
        assert started.ends() == 0
        assert started.processes() == []


def test_without_a_front_end_the_api_runs_alone(api_only: BakedProject) -> None:
    with running(api_only) as started:
        started.until_ready()
        assert requests.get(f"{started.api}/health/ready", timeout=30).json() == {"status": "ok"}
        assert "The front end" not in started.said
        assert "Node.js" not in started.said


def test_a_clone_without_env_gets_one_with_a_secret_of_its_own(tmp_path: Path, api_only: BakedProject) -> None:
    clone = tmp_path / "clone"
    api_only.succeeds("git", "clone", "--quiet", ".", str(clone))
    assert not (clone / ".env").exists()
    project = BakedProject(clone, (), ())
    with running(project, command=[api_only.python, "dev.py"]) as started:
        started.until_ready()
    assert re.search("(?m)^SECRET_KEY=[0-9a-f]{64}$", project.read(".env"))
    assert project.read(".env") != api_only.read(".env")


def test_an_env_that_is_there_is_left_alone(api_only: BakedProject) -> None:
    before = api_only.read(".env")
    with running(api_only) as started:
        started.until_ready()
    assert api_only.read(".env") == before


@pytest.mark.parametrize("variable", ["PORT", "FRONTEND_PORT"])
def test_a_taken_port_is_one_sentence(with_node: BakedProject, port_of_another: int, variable: str) -> None:
    with running(with_node, {variable: str(port_of_another)}) as started:
        assert started.ends() == 1
        [line] = started.said.splitlines()
        assert line.startswith(f"Port {port_of_another} is in use")
        assert f"the variable {variable} to" in line


@pytest.mark.parametrize("value", ["eighty", "0", "70000", "-1", "8000 "])
def test_a_port_that_is_none_is_one_sentence(api_only: BakedProject, value: str) -> None:
    with running(api_only, {"PORT": value}) as started:
        assert started.ends() == 1
        assert started.said == f"PORT is {value!r}, which is not a port. Set it to a number from 1 to 65535.\n"


def test_without_node_the_api_runs_alone_and_it_says_so(
    installed: Callable[[str], BakedProject], no_programs: Path
) -> None:
    with running(installed("default"), {"PATH": str(no_programs)}) as started:
        started.until_ready()
        assert "Node.js is missing" in started.said
        assert f"The API: {started.api}\n" in started.said
        assert "The front end: " not in started.said


@posix
@pytest.mark.parametrize(
    ("version", "good"),
    [
        *[("", False), ("v18.20.4", False), ("v20.18.3", False), ("v21.7.3", False), ("v22.11.0", False)],
        *[("v20.19.0", True), ("v22.12.0", True), ("v24.1.0", True)],
    ],
)
def test_the_front_end_starts_only_with_a_node_that_vite_can_use(
    baked: Callable[[str], BakedProject], no_programs: Path, version: str, good: bool
) -> None:
    script(no_programs, "node", f"echo {version}")
    script(no_programs, "npm", "exit 9")
    env = {"PATH": str(no_programs), "FRONTEND_PORT": str(preferred_port(0))}
    count = "import runpy; print(len(list(runpy.run_path('dev.py')['prepare_front_end']())))"
    said = baked("default").run(sys.executable, "-c", count, env=env).stdout
    refusal = f"Node.js is {version}. The front end needs 20.19, or 22.12 and newer. Only the API runs.\n"
    assert said == ("1\n" if good else f"{refusal}0\n")


def test_vite_passes_on_to_the_port_that_dev_py_takes_whatever_dotenv_says(api_only: BakedProject) -> None:
    code = "import runpy; dev = runpy.run_path('dev.py'); api = dev['prepare_api']"
    code += "; api.__globals__['get_free_port'] = lambda *_: 8000; api(); print(dev['ENVIRONMENT']['PORT'])"
    said = api_only.succeeds(api_only.python, "-c", code)
    assert said.split() == ["8000"]


def test_without_network_the_api_runs_alone_and_it_says_so(with_node: BakedProject, tmp_path: Path) -> None:
    path = tmp_path / "copy"
    shutil.copytree(with_node.path, path, ignore=shutil.ignore_patterns("node_modules", ".venv", ".git"))
    nowhere = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_fetch_retries": "0"}
    nowhere["npm_config_cache"] = str(tmp_path / "cache")
    with running(BakedProject(path, (), ()), nowhere, [with_node.python, "dev.py"]) as started:
        started.until_ready()
        assert "The front end's packages could not be installed" in started.said
        assert "The front end: " not in started.said


def test_unsafe_settings_are_told_in_words_and_nothing_starts(api_only: BakedProject) -> None:
    with running(api_only, {"FRONTEND_ORIGINS": "*"}) as started:
        assert started.ends() == 1
        assert "FRONTEND_ORIGINS has '*' with credentials" in started.said
        assert "The API cannot start: `flask seed` failed" in started.said
        assert "Traceback" not in started.said
        assert READY not in started.said


def test_without_flask_it_says_what_to_run(api_only: BakedProject) -> None:
    with running(api_only, command=[sys.executable, "-S", "dev.py"]) as started:  # without anything installed
        assert started.ends() == 1
        [line] = started.said.splitlines()
        assert line.startswith("Flask is not installed for this Python")
        assert "`uv run dev.py`" in line


@posix
@pytest.mark.parametrize(("part_of_command", "name"), [("vite.js", "front end"), ("flask", "API")])
def test_when_one_server_dies_it_says_which_and_stops_the_other(
    with_node: BakedProject, part_of_command: str, name: str
) -> None:
    with running(with_node) as started:
        started.until_ready()
        children = [p for p in started.processes() if p.ppid() == started.process.pid]
        [victim] = [p for p in children if any(part_of_command in word for word in p.cmdline())]
        victim.kill()
        assert started.ends() == 1
        assert f"The {name} ended with exit code" in started.said
        assert started.processes() == []


def test_a_change_of_the_code_is_served_without_a_restart(tmp_path: Path, api_only: BakedProject) -> None:
    project = bake(tmp_path / "out", {"frontend": False})
    with running(project, command=[api_only.python, "dev.py"]) as started:
        started.until_ready()
        views = project.path / project.package / "public.py"
        views.write_text(views.read_text("utf-8").replace("Hello, World!", "Hello, Lab!"), encoding="utf-8")
        started.until(lambda: "Hello, Lab!" in hello(started.api))


def hello(api: str) -> str:
    try:
        return requests.get(f"{api}/api/public/hello", timeout=30).text
    except requests.ConnectionError:
        return ""  # it is starting again
