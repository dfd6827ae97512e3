"""`crossorigin/`, copied alone into a small project, serves and explains any Flask application."""

import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.baking import CHECKOUT, environment
from tests.running import preferred_port

CROSSORIGIN = CHECKOUT / "{{cookiecutter.__project_slug}}" / "crossorigin"
PAGE, OTHER = "http://localhost:3000", "https://evil.example"
HEAD = "from flask import Blueprint, Flask, abort, jsonify, request\n\napp = Flask(__name__)\n"
VIEWS = """
@app.get("/notes")
def notes():
    return []

@app.put("/notes/<int:number>")
def change(number):
    raise RuntimeError("the view has run")
"""
WITH_POLICY = """
from crossorigin import cors, init_cors
bp = Blueprint("lab", __name__, url_prefix="/lab")
bp.add_url_rule("/", "lab", lambda: "lab", methods=["GET", "PUT"])
cors(bp, origins=["http://localhost:3000"])
app.register_blueprint(bp)
init_cors(app)
"""
FLASK_CORS = 'from flask_cors import CORS, cross_origin\nCORS(app, origins=["http://localhost:5173"])\n'
DECORATED = """
from flask_cors import cross_origin
@app.post("/simple")
@cross_origin(origins=["http://localhost:3000"])
def simple():
    raise RuntimeError("the view has run")
"""
RESOURCES = """
from flask_cors import CORS
cors = CORS()
cors.init_app(app, resources={r"/other/*": {"origins": "*"}})
"""
BY_HAND = """
@app.after_request
def allow(response):
    response.headers["Access-Control-Allow-Origin"] = "http://localhost:5173"
    return response
"""
IN_THE_VIEW = """
@app.post("/simple")
def simple():
    return "", {"Access-Control-Allow-Origin": "*"}
"""
GUARDED = FLASK_CORS + "app.before_request(lambda: None if request.authorization else abort(401))\n"
# an application, a request of a page of http://localhost:3000, whether it is allowed, and a part of the fix
CASES: dict[str, tuple[str, list[str], bool, str]] = {
    "a policy, an allowed method": (WITH_POLICY, ["PUT", "/lab/"], True, ""),
    "a policy, another method": (WITH_POLICY, ["LOCK", "/lab/"], False, 'app.py: add a route with methods=["LOCK"]'),
    "a path without a policy": (WITH_POLICY, ["GET", "/notes"], False, "move the view 'notes' into a blueprint"),
    "flask-cors, another origin": (
        FLASK_CORS,
        ["GET", "/notes"],
        False,
        'app.py:12: CORS(app, origins=["http://localhost:5173", "http://localhost:3000"])',
    ),
    "flask-cors, a preflight": (FLASK_CORS.replace("5173", "3000"), ["PUT", "/notes/1"], True, ""),
    "flask-cors, cookies": (
        FLASK_CORS.replace("5173", "3000"),
        ["GET", "/notes", "--credentials"],
        False,
        "app.py:12: CORS(app, supports_credentials=True)",
    ),
    "flask-cors, a header": (
        FLASK_CORS.replace("5173", "3000").replace("])", '], allow_headers=["X-Lab"])'),
        ["GET", "/notes", "-H", "X-Other: 1"],
        False,
        'app.py:12: CORS(app, allow_headers=["X-Lab", "x-other"])',
    ),
    "flask-cors, other resources": (
        RESOURCES,
        ["GET", "/notes"],
        False,
        f'app.py:13: cors.init_app(app, resources={{"/notes": {{"origins": ["{PAGE}"]}}}})',
    ),
    "flask-cors behind a sign-in": (
        GUARDED.replace("5173", "3000"),
        ["PUT", "/notes/1"],
        False,
        "skip OPTIONS /notes/1",
    ),
    "a decorator, a simple request": (DECORATED, ["POST", "/simple"], True, ""),
    "a decorator on another view": (DECORATED, ["GET", "/notes"], False, "app.py:5: @cross_origin(origins=["),
    "by hand, another origin": (
        BY_HAND,
        ["GET", "/notes"],
        False,
        f'app.py:13: response.headers["Access-Control-Allow-Origin"] = "{PAGE}"',
    ),
    "by hand, a method": (
        BY_HAND.replace("5173", "3000"),
        ["PUT", "/notes/1"],
        False,
        'app.py:13: response.headers["Access-Control-Allow-Methods"] = "PUT", on the response to OPTIONS /notes/1',
    ),
    "by hand in the view, which does not run": (IN_THE_VIEW, ["POST", "/simple"], True, ""),
    "nothing": ("", ["GET", "/notes"], False, "nothing in this application writes CORS headers"),
    "nothing, and a preflight": (
        "",
        ["PUT", "/notes/1", "-H", "X-Lab: 1"],
        False,
        f"the response to OPTIONS /notes/1 (its view: app.py:8): Access-Control-Allow-Origin: {PAGE};"
        " Access-Control-Allow-Methods: PUT; Access-Control-Allow-Headers: x-lab",
    ),
    "no such path": ("", ["GET", "/none"], False, "nothing in this application writes CORS headers"),
}
UNCHANGED = """
import json, sys
from click.testing import CliRunner
from flask.cli import ScriptInfo
from crossorigin.doctor.cli import commands
from app import app

def state():
    functions = [app.before_request_funcs, app.after_request_funcs, app.view_functions]
    return repr([app.wsgi_app, *functions, app.extensions, app.config])

before, codes = state(), []
for words in json.loads(sys.argv[1]):
    result = CliRunner().invoke(commands, words, obj=ScriptInfo(create_app=lambda: app))
    codes.append(result.exit_code)
print(json.dumps([codes, before == state()]))
"""


def project(folder: Path, rest: str) -> Path:
    """Write a project: the package, an application, and the metadata that declares the command."""
    shutil.copytree(CROSSORIGIN, folder / "crossorigin", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "app.py").write_text(HEAD + VIEWS.lstrip("\n") + rest.lstrip("\n"), "utf-8")
    (folder / "lab-1.dist-info").mkdir()
    (folder / "lab-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: lab\nVersion: 1\n", "utf-8")
    entry = "[flask.commands]\ncors = crossorigin.doctor.cli:commands\n"
    (folder / "lab-1.dist-info" / "entry_points.txt").write_text(entry, "utf-8")
    return folder


def run(folder: Path, *command: str) -> tuple[int, str]:
    """Run Python in a project, and return the exit code and the output."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def flask(folder: Path, *words: str) -> tuple[int, str]:
    """Run `flask cors` in a project."""
    return run(folder, "-m", "flask", "--app", "app", "cors", *words)


@pytest.mark.parametrize(("rest", "asks", "allowed", "fix"), CASES.values(), ids=CASES)
def test_explain_is_right_and_its_fix_uses_the_existing_code(
    tmp_path: Path, rest: str, asks: list[str], allowed: bool, fix: str
) -> None:
    code, said = flask(project(tmp_path, rest), "explain", *asks, "--origin", PAGE, "--json")
    found = json.loads(said)
    assert (code, found["allowed"]) == (0 if allowed else 1, allowed), said
    assert fix in (found["fix"] or "")


@pytest.mark.parametrize("rest", [FLASK_CORS, BY_HAND, ""], ids=["flask-cors", "by hand", "nothing"])
def test_the_commands_do_not_change_an_application(tmp_path: Path, rest: str) -> None:
    folder = project(tmp_path, rest)
    asks = [[*words, "--origin", PAGE] for words in (["explain", "GET", "/notes"], ["explain", "PUT", "/notes/1"])]
    code, said = run(folder, "-c", UNCHANGED, json.dumps([*asks, ["list"], ["check"]]))
    assert code == 0, said
    codes, unchanged = json.loads(said.splitlines()[-1])
    assert (codes[2:], unchanged) == ([0, 0], True)


def test_list_and_check_work_in_a_small_project(tmp_path: Path) -> None:
    folder = project(tmp_path, WITH_POLICY)
    code, said = flask(folder, "list")
    assert (code, "/lab   app.py:" in said, "http://localhost:3000" in said) == (0, True, True), said
    assert flask(folder, "check") == (0, "No problems found.\n")
    (folder / "app.py").write_text((folder / "app.py").read_text().replace('["http', '["*", "http'), "utf-8")
    code, said = flask(folder, "check")
    assert (code, "'*' beside other origins" in said) == (1, True), said


def test_check_notes_a_view_with_a_sign_in_under_a_policy_without_credentials(tmp_path: Path) -> None:
    hints = 'init_cors(app, hints=Hints(is_guarded=lambda endpoint: endpoint == "lab.lab"))'
    rest = WITH_POLICY.replace("init_cors(app)", hints).replace("import cors", "import Hints, cors")
    code, said = flask(project(tmp_path, rest), "check", "--json")
    found = json.loads(said)
    assert (code, found["ok"], found["problems"]) == (0, True, [])
    assert "the view 'lab.lab' requires a sign-in, but its policy has no credentials" in found["notes"][0]


def test_list_shows_what_writes_headers_in_an_application_without_policies(tmp_path: Path) -> None:
    folder = project(tmp_path, FLASK_CORS + BY_HAND)
    code, said = flask(folder, "list")
    assert (code, "app.py:12: CORS(app)" in said, "app.py:16: access-control-allow-origin" in said) == (0, True, True)
    code, said = flask(folder, "check", "--json")
    assert (code, json.loads(said)["ok"], "does not declare a policy" in said) == (0, True, True)


class Server:
    """Answers every request with the same bytes, and then with one byte now and then."""

    def __init__(self, answer: bytes, drip: bytes = b"") -> None:
        """Start to listen."""
        self.socket = socket.create_server(("127.0.0.1", preferred_port(0)))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.answer, self.drip, self.ended = answer, drip, threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        """Answer until the end."""
        while not self.ended.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.reply, args=[connection], daemon=True).start()

    def reply(self, connection: socket.socket) -> None:
        """Answer one request."""
        with connection:
            try:
                connection.recv(65536)
                connection.sendall(self.answer)
                while self.drip and not self.ended.wait(0.3):
                    connection.sendall(self.drip)
            except OSError:
                return


@pytest.fixture
def slow_server() -> Iterator[Server]:
    """Serve headers that never end, with a byte more every 0.3 seconds."""
    server = Server(b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n")
    yield server
    server.ended.set()
    server.socket.close()


def test_a_slow_server_reaches_the_timeout(tmp_path: Path, slow_server: Server) -> None:
    began = time.monotonic()
    command = ["-m", "crossorigin", "explain", "GET", f"{slow_server.url}/x", "--origin", PAGE, "--json"]
    code, said = run(project(tmp_path, ""), *command)
    assert (code, "does not answer within 5 seconds" in said) == (1, True), said
    assert time.monotonic() - began < 15


CONTROLS = b"".join(
    [
        b"HTTP/1.1 200 OK\r\nX-Title: \x1b]0;owned\x07\x9b2J\x00\r\n",
        b"Access-Control-Allow-Origin: \x1b[2J\x08\r\nX-Folded: a\r\n ALLOWED: b\r\n",
        b"Server: \x1b[31m\r\nContent-Length: 0\r\n\r\n",
    ]
)


def test_no_control_character_of_a_server_is_printed(tmp_path: Path) -> None:
    server = Server(CONTROLS)
    code, said = run(project(tmp_path, ""), "-m", "crossorigin", "explain", "GET", server.url, "--origin", PAGE)
    server.socket.close()
    assert (code, r"X-Title: \x1b]0;owned\x07\x9b2J" in said) == (1, True), said
    assert re.findall(r"[^\n -~\xa0-\U0010ffff]", said) == []
    assert "\n ALLOWED" not in said


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["explain", "GET", "http://127.0.0.1:1/x", "--origin", PAGE], 1, "Nothing answers at http://127.0.0.1:1"),
        (["explain", "GET", "/x", "--origin", PAGE], 2, "no application was found"),
        (["list"], 2, "no application was found"),
        (["--help"], 0, "python -m crossorigin"),
    ],
)
def test_without_any_application(tmp_path: Path, words: list[str], code: int, message: str) -> None:
    shutil.copytree(CROSSORIGIN, tmp_path / "crossorigin", ignore=shutil.ignore_patterns("__pycache__"))
    ended, said = run(tmp_path, "-m", "crossorigin", *words)
    assert (ended, message in said) == (code, True), said


ENDPOINT = """
from crossorigin import Hints, init_cors
from crossorigin.doctor.endpoint import explain_endpoint
app.register_blueprint(explain_endpoint)
init_cors(app{hints})
"""


@pytest.mark.parametrize("hints", ["", ", hints=Hints()", ", hints=Hints(production=True)"])
def test_the_endpoint_is_refused_outside_of_development(tmp_path: Path, hints: str) -> None:
    code, said = flask(project(tmp_path, ENDPOINT.format(hints=hints)), "check")
    assert (code, "register it in development" in said) == (1, True), said


def test_the_endpoint_explains_in_development(tmp_path: Path) -> None:
    asks: dict[str, Any] = {"method": "GET", "url": "http://localhost/notes", "origin": PAGE}
    code = f"from app import app; print(app.test_client().post('/api/dev/explain', json={asks!r}).text)"
    status, said = run(project(tmp_path, ENDPOINT.format(hints=", hints=Hints(production=False)")), "-c", code)
    found = json.loads(said)
    assert (status, found["allowed"], "into a blueprint" in found["fix"]) == (0, False, True)


NAMES = "API_URL FRONTEND_ORIGINS APP_ENV VITE_API_URL CROSS_SITE_COOKIES my_lab_api marshmallow"
APPLICATION_NAMES = rf"\b({NAMES.replace(' ', '|')})\b|\.env\b|dev\.py|5173|config\S+PORT"


@pytest.mark.parametrize("file", sorted(CROSSORIGIN.rglob("*.py")), ids=lambda file: file.name)
def test_the_package_has_no_name_of_the_application(file: Path) -> None:
    lines = [line.strip() for line in file.read_text("utf-8").splitlines()]
    # examples in docstrings, help texts and messages may look like the real thing
    found = [
        line
        for line in lines
        if re.search(APPLICATION_NAMES, line) and "example" not in line and "FromConfig(" not in line
    ]
    assert found == []
