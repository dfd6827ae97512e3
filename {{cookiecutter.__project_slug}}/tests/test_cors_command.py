"""`flask cors list`, `check` and `explain`, and what a page asks in development."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import FRONTEND_ORIGINS, PAGE, settings
from cors_cases import APP, lab, start
from crossorigin.doctor.checks import misfits, names_in_source
from crossorigin.doctor.cli import MDN, commands
from crossorigin.dry_run import is_dry_run
from flask import Flask
from flask.cli import ScriptInfo
from flask.testing import FlaskClient

from {{ cookiecutter.__package }} import create_app

OPEN = FRONTEND_ORIGINS != "none"  # whether page and API have two origins
API = "http://localhost:8000"


def flask(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(commands, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_list_shows_every_policy_in_lines_that_people_read(app: Flask) -> None:
    code, said = flask(app, "list")
    lines = said.replace(app.name, "my_lab_api").splitlines()
    assert (code, max(map(len, lines)) <= 100) == (0, True)
    mode = "cross-origin" if OPEN else "proxy"
    for words in (
        f"Mode: {mode} (",
        f"FRONTEND_ORIGINS → {FRONTEND_ORIGINS}",
        "auth.py:",
    ):
        assert words in said
    assert said.endswith("Everything fits.\n")


def test_list_and_check_tell_what_does_not_fit() -> None:
    blueprint = lab(methods=["GET", "LOCK"], expose_headers=["X-Nowhere"], max_age=60)
    blueprint.add_url_rule("/", "view", str)
    app = start(blueprint)
    code, said = flask(app, "list")
    assert (code, "LOCK, which no route" in said, "'X-Nowhere'" in said, "60 s" in said) == (
        0,
        True,
        True,
        True,
    )
    code, said = flask(app, "check")
    assert (code, said.count("\n  - ")) == (1, 2)
    code, said = flask(app, "check", "--json")
    assert (code, json.loads(said)) == (1, {"ok": False, "problems": list(misfits(app))})


def test_check_is_content_with_the_project(app: Flask) -> None:
    assert flask(app, "check") == (0, "Everything fits.\n")
    assert flask(app, "check", "--json") == (0, '{"ok": true, "problems": []}\n')


SEEN = {  # how a response gets a header that a policy exposes
    "X-Pagination": "a text in the source",
    "Retry-After": "an attribute in the source",
    "ETag": "a function in the source",
    "X-Request-ID": "a text in the source",
    "Date": "the server",
    "*": "any",
    "X-After": "an answer before the view",
}


@pytest.mark.parametrize("name", SEEN)
def test_an_exposed_header_is_no_misfit_when_it_comes_by(name: str) -> None:
    blueprint = lab("/lab/<int:n>", expose_headers=[name])
    blueprint.add_url_rule("/x", "x", str, methods=["GET", "PUT"])
    blueprint.after_request(lambda response: response.headers.set("X-After", "1") or response)
    assert list(misfits(start(blueprint))) == []
    assert not is_dry_run()


def test_what_is_only_exposed_counts_for_nothing(tmp_path: Path) -> None:
    source = 'cors(lab, expose_headers=["X-Only", *["X-Too"]])\nanswer.headers["X-Sent"] = answer.retry_after'
    (tmp_path / "lab.py").write_text(source)
    found = names_in_source(tmp_path)
    assert {"x_sent", "retry_after"} <= found
    assert not {"x_only", "x_too"} & found


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["GET", "/api/auth/me", "--origin", API], 0, "ALLOWED: the page gets the answer 401."),
        (["PUT", "api/public/hello", "--origin", API], 0, "the answer 405"),
        (
            ["POST", "/api/auth/logout", "--origin", API],
            0,
            "ALLOWED: the page gets whatever the view answers.",
        ),
        (["GET", "/health/live", "--origin", APP], 1, f"More: {MDN}CORSMissingAllowOrigin"),
        (["TRACE", "/api/auth/me", "--origin", PAGE], 1, "Cure: in the page's call: another method"),
        (["GET", "http://localhost:1/", "--origin", PAGE], 1, "Nothing answers at http://localhost:1"),
        (["GET", "/", "--origin", f"{PAGE}/"], 2, f"write '{PAGE}'"),
        (["GET", "/", "--origin", "localhost:5173"], 2, "has no scheme; write http://localhost:5173"),
        (["GET", "/", "--origin", PAGE, "-H", "X-Lab"], 2, "write it as 'X-Lab: 1'"),
        (["GET", "localhost:8000/api", "--origin", PAGE], 2, "write http://localhost:8000/api"),
        (["GET", "C:/Git/api/notes", "--origin", PAGE], 2, "Git Bash"),
        (["GET", "ftp://a/", "--origin", PAGE], 2, "is no address"),
        (["GET", "/", "--origin", PAGE, "--json", "--curl"], 2, "leave out --curl"),
        (["GET", "/"], 2, "Missing option '--origin'"),
    ],
)
def test_explain_ends_with_a_code_and_a_sentence(app: Flask, words: list[str], code: int, said: str) -> None:
    result = flask(app, "explain", *words)
    assert (result[0], said in result[1]) == (code, True), result[1]
    assert "Traceback" not in result[1]


def test_where_both_are_one_origin_a_path_is_asked_of_the_pages_own_address(database: str) -> None:
    app = create_app(settings(database, FRONTEND_ORIGINS="none"))
    code, said = flask(app, "explain", "PUT", "/api/notes/1", "--origin", PAGE, "--credentials")
    assert (code, f"PUT {PAGE}/api/notes/1" in said, "CORS plays no part" in said) == (0, True, True)
    assert flask(app, "explain", "PUT", "/api/notes/1", "--origin", APP)[0] == 1


def test_json_is_the_object_and_nothing_else(app: Flask) -> None:
    code, said = flask(app, "explain", "GET", "/api/auth/me", "--origin", API, "--json", "--credentials")
    found = json.loads(said)
    assert (code, found["allowed"], found["status"], found["cookies_sent"]) == (0, True, 401, True)


def test_curl_says_the_same_on_every_shell(app: Flask) -> None:
    header, url = 'X-Lab: a "b" \\ !c', f"{API}/api/public/echo?a=b&c=d"
    words = ["m!", url[len(API) :], "--origin", APP, "-H", header, "--curl"]
    preflight, sent = flask(app, "explain", *words)[1].splitlines()[-2:]
    asks = ["-H", f"Origin: {APP}", "-H", "Access-Control-Request-Method: m!", "-H"]
    assert shlex.split(preflight) == [
        "curl",
        "-i",
        "-X",
        "OPTIONS",
        url,
        *asks,
        "Access-Control-Request-Headers: x-lab",
    ]
    assert shlex.split(sent) == ["curl", "-i", "-X", "m!", url, "-H", f"Origin: {APP}", "-H", header]
    assert r'"X-Lab: \$HOME \`id\`"' in flask(app, "explain", *words, "-H", "X-Lab: $HOME `id`")[1]
    for method, words in (("GET", ["curl", "-i"]), ("HEAD", ["curl", "-i", "--head"])):
        said = flask(app, "explain", method, "/api/auth/me", "--origin", API, "--curl")[1].splitlines()[-1]
        assert shlex.split(said) == [*words, f"{API}/api/auth/me"]


def test_what_does_not_start_is_told_in_the_same_form() -> None:
    unsafe = {
        **os.environ,
        "APP_ENV": "development",
        "SECRET_KEY": "only-for-tests",
        "FRONTEND_ORIGINS": "null",
    }
    command = [sys.executable, "-m", "flask", "--app", create_app.__module__, "cors", "check", "--json"]
    run = subprocess.run(command, env=unsafe, text=True, capture_output=True, timeout=30)  # noqa: S603
    assert (run.returncode, run.stderr) == (1, "")
    assert "serve the page from http://localhost" in str(json.loads(run.stdout)["problems"])


def test_explain_takes_an_application_that_does_not_start_for_a_dead_server() -> None:
    words = ["explain", "GET", "/x", "--origin", PAGE, "--json"]
    result = CliRunner().invoke(
        commands, words, obj=ScriptInfo(create_app=lambda: create_app({"APP_ENV": "test"}))
    )
    found = json.loads(result.output)
    assert (result.exit_code, found["allowed"], found["reason"]) == (1, False, "CORSDidNotSucceed")
    assert "write development or production" in found["steps"][0]["detail"]


def ask(client: FlaskClient, base: str = "http://localhost", **changes: Any) -> Any:
    asks = {"method": "GET", "url": "http://localhost/api/auth/me", "origin": "http://localhost", **changes}
    given = {name: value for name, value in asks.items() if value is not None}
    return client.post("/api/dev/explain", base_url=base, json=given)


def test_a_page_gets_the_same_explanation(client: FlaskClient) -> None:
    found = ask(client, credentials=True, url="http://localhost/api/auth/nowhere").json
    assert (found["allowed"], found["status"], found["cookies_sent"]) == (True, 404, True)
    blocked = ask(
        client, origin="http://127.0.0.1:5173", headers={"X-Lab": "1"}, url="http://127.0.0.1/api/auth/me"
    )
    assert (blocked.json["allowed"], blocked.json["preflighted"]) == (False, True)
    assert "http://localhost:5173" in blocked.json["cure"]
    elsewhere = {"base": "http://localhost:9", "url": "http://localhost:9/health/live", "origin": PAGE}
    assert "health.py: from crossorigin import cors; cors(" in ask(client, **elsewhere).json["cure"]
    assert ask(client, headers=[["A", "1"], ["A", "2"]], url=f"{API}/api/x", origin=API).json["status"] == 404


def test_no_view_runs_and_nothing_is_asked_elsewhere(app: Flask) -> None:
    app.view_functions["public.hello"] = lambda: pytest.fail("the view has run")
    found = ask(app.test_client(), url="http://localhost/api/public/hello").json
    assert (found["allowed"], found["status"]) == (True, None)
    found = ask(app.test_client(), url="https://api.example.org/").json
    assert (found["allowed"], found["reason"]) == (False, None)
    assert "https://api.example.org/ is not this API" in found["steps"][-1]["detail"]


NONSENSE = [
    {"method": None},
    {"url": "/x"},
    {"url": "http://a/" + "x" * 5000},
    {"origin": "localhost"},
    {"other": 1},
]
NONSENSE += [
    {"headers": value} for value in ("X-Lab", [["X-Lab"]], {"X-Lab": 1}, {"X Lab": "1"}, {"A": "x" * 10000})
]
NONSENSE += [{"headers": [["A", "b"]] * 101}, {"credentials": "yes"}, {"method": "x" * 33}]


@pytest.mark.parametrize("changes", NONSENSE, ids=lambda changes: str(changes)[:40])
def test_nonsense_is_a_422(client: FlaskClient, changes: dict[str, Any]) -> None:
    assert ask(client, **changes).status_code == 422


def test_the_endpoint_is_open_to_every_page_in_development_and_absent_in_production(
    app: Flask, database: str
) -> None:
    answer = app.test_client().post("/api/dev/explain", json={}, headers={"Origin": "http://127.0.0.1:5173"})
    assert (answer.status_code, answer.headers.get("Access-Control-Allow-Origin")) == (
        422,
        "*",
    )
    assert "Access-Control-Allow-Credentials" not in answer.headers
    origins = APP
    safe = settings(
        database, APP_ENV="production", SECRET_KEY="0123456789abcdef" * 4, FRONTEND_ORIGINS=origins
    )
    assert create_app(safe).test_client().post("/api/dev/explain", json={}).status_code == 404
