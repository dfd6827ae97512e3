"""`flask cors list`, `check` and `explain`."""

import json
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click import ClickException
from click.testing import CliRunner
from crossorigin import FromConfig, Hints, get_policies
from crossorigin.doctor.checks import find_notes, find_problems
from crossorigin.doctor.cli import MDN, commands
from crossorigin.doctor.source import read_names
from crossorigin.dry_run import is_dry_run
from flask import Blueprint, Flask, abort, request
from flask.cli import ScriptInfo

from tests.crossorigin.cases import APP, PAGE, lab, start

API = "http://localhost:8000"


@pytest.fixture
def app() -> Flask:
    """An application with views that are open, that need a sign-in, and that have no policy."""
    public = lab("/api/public", "public", origins=["*"])
    auth = lab("/api/auth", "auth", origins=FromConfig("FRONTEND_ORIGINS"), credentials=True)
    health = Blueprint("health", __name__, url_prefix="/health")
    public.add_url_rule("/hello", "hello", str)
    auth.add_url_rule("/me", "me", lambda: abort(401))
    auth.add_url_rule("/logout", "logout", str, methods=["POST"])
    health.add_url_rule("/live", "live", str)
    app = start(public, auth, health, FRONTEND_ORIGINS=PAGE)
    get_policies(app).hints = Hints(api_url=API)
    return app


def flask(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(commands, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_list_shows_every_policy_in_short_lines(app: Flask) -> None:
    code, said = flask(app, "list")
    assert (code, max(map(len, said.splitlines())) <= 100) == (0, True)
    for words in ("Mode: cross-origin.", f"FRONTEND_ORIGINS → {PAGE}", "cases.py:"):
        assert words in said
    assert said.endswith("No problems found.\n")


def test_list_and_check_report_inconsistencies() -> None:
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
    assert (code, said.count("\n  - "), said.count("\nNote: ")) == (1, 1, 1)
    code, said = flask(app, "check", "--json")
    notes = find_notes(app)
    assert (code, json.loads(said)) == (1, {"ok": False, "problems": find_problems(app), "notes": notes})


def test_check_reports_no_problem_if_all_is_consistent(app: Flask) -> None:
    assert flask(app, "check") == (0, "No problems found.\n")
    assert flask(app, "check", "--json") == (0, '{"ok": true, "problems": [], "notes": []}\n')


SENT_BY = {  # what sends a header that a policy exposes
    "X-Pagination": "a text in the source",
    "Retry-After": "an attribute in the source",
    "ETag": "a function in the source",
    "X-Request-ID": "a text in the source",
    "Date": "the server",
    "*": "any",
    "Content-Disposition": "send_file of Flask",
    "Content-Range": "werkzeug",
    "X-RateLimit-Limit": "an extension that is loaded",
}


SOURCE = 'headers["X-Pagination"] = headers["X-Request-ID"] = text\nerror.retry_after = 1\nblueprint.set_etag(tag)\n'


@pytest.mark.parametrize("name", SENT_BY)
def test_an_exposed_header_is_consistent_if_it_is_sent_by(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extension = ModuleType("flask_limits")
    extension.__file__ = str(tmp_path / "flask_limits.py")
    monkeypatch.setitem(sys.modules, "flask_limits", extension)
    (tmp_path / "flask_limits.py").write_text('LIMIT = "X-RateLimit-Limit"')
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text(SOURCE)
    blueprint = lab("/lab/<int:n>", expose_headers=[name])
    blueprint.add_url_rule("/x", "x", str, methods=["GET", "PUT"])
    app = start(blueprint)
    app.root_path = str(package)
    assert (find_problems(app), find_notes(app)) == ([], [])
    assert not is_dry_run()


def test_an_exposed_header_that_nothing_sends_is_a_note_and_not_a_problem() -> None:
    blueprint = lab(expose_headers=["X-Nowhere"])
    blueprint.add_url_rule("/", "view", str)
    code, said = flask(start(blueprint), "check", "--json")
    assert (code, "'X-Nowhere', but neither the application nor Flask" in json.loads(said)["notes"][0]) == (0, True)


def test_a_name_in_expose_headers_alone_is_not_found_in_the_source(tmp_path: Path) -> None:
    source = 'cors(lab, expose_headers=["X-Only", *["X-Too"]])\nanswer.headers["X-Sent"] = answer.retry_after'
    (tmp_path / "__init__.py").write_text(source)
    found = read_names(Flask("lab", root_path=str(tmp_path)))
    assert {"x_sent", "retry_after"} <= found
    assert not {"x_only", "x_too"} & found


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["GET", "/api/auth/me", "--origin", API], 0, "ALLOWED: the page gets the response 401."),
        (["PUT", "api/public/hello", "--origin", API], 0, "the response 405"),
        (
            ["POST", "/api/auth/logout", "--origin", API],
            0,
            "ALLOWED: the page gets the response of the view.",
        ),
        (["GET", "/health/live", "--origin", APP], 1, f"More: {MDN}CORSMissingAllowOrigin"),
        (["GET", "/health/live", "--origin", APP], 1, "Answered by: the application."),
        (["GET", "/health/live", "--origin", APP, "--mode", "no-cors"], 0, "The page cannot read the response"),
        (["PUT", "/health/live", "--origin", APP, "--mode", "no-cors"], 1, "It must be GET, HEAD or POST."),
        (["POST", "/api/auth/logout", "--origin", PAGE, "--upload-progress"], 0, "a listener for upload progress"),
        (["GET", "/health/live", "--origin", APP, "--mode", "navigate"], 2, "'cors', 'no-cors'"),
        (["TRACE", "/api/auth/me", "--origin", PAGE], 1, "Fix: in the page's call: another method"),
        (["GET", "http://localhost:1/", "--origin", PAGE], 1, "Nothing answers at http://localhost:1"),
        (["GET", "/", "--origin", f"{PAGE}/"], 2, f"write '{PAGE}'"),
        (["GET", "/", "--origin", "localhost:5173"], 2, "has no scheme; write http://localhost:5173"),
        (["GET", "/", "--origin", PAGE, "-H", "X-Lab"], 2, "write it as 'X-Lab: 1'"),
        (["GET", "localhost:8000/api", "--origin", PAGE], 2, "write http://localhost:8000/api"),
        (["GET", "C:/Git/api/notes", "--origin", PAGE], 2, "Git Bash"),
        (["GET", "ftp://a/", "--origin", PAGE], 2, "is not a URL"),
        (["GET", "/", "--origin", PAGE, "--json", "--curl"], 2, "remove --curl"),
        (["GET", "/"], 2, "Missing option '--origin'"),
    ],
)
def test_explain_ends_with_an_exit_code_and_a_message(app: Flask, words: list[str], code: int, said: str) -> None:
    result = flask(app, "explain", *words)
    assert (result[0], said in result[1]) == (code, True), result[1]
    assert "Traceback" not in result[1]


def test_json_prints_one_object_only(app: Flask) -> None:
    code, said = flask(app, "explain", "GET", "/api/auth/me", "--origin", API, "--json", "--credentials")
    found = json.loads(said)
    assert (code, found["allowed"], found["status"], found["cookies_sent"]) == (0, True, 401, True)


def test_curl_commands_work_in_every_shell(app: Flask) -> None:
    header, url = 'X-Lab: a "b" \\ !c', f"{API}/api/public/echo?a=b&c=d"
    words = ["m!", url[len(API) :], "--origin", APP, "-H", header, "--curl"]
    preflight, sent = flask(app, "explain", *words)[1].splitlines()[-2:]
    asks = ["-H", f"Origin: {APP}", "-H", "Access-Control-Request-Method: m!", "-H"]
    asks = ["curl", "-i", "-X", "OPTIONS", url, *asks, "Access-Control-Request-Headers: x-lab"]
    assert shlex.split(preflight)[: len(asks)] == asks
    own = ["-H", "Accept: */*", "-H", "Accept-Language: en-US,en;q=0.9", "-H"]  # as the browser adds them
    assert shlex.split(sent)[:14] == ["curl", "-i", "-X", "m!", url, "-H", f"Origin: {APP}", "-H", header, *own]
    assert r'"X-Lab: \$HOME \`id\`"' in flask(app, "explain", *words, "-H", "X-Lab: $HOME `id`")[1]
    for method, words in (("GET", ["curl", "-i"]), ("HEAD", ["curl", "-i", "--head"])):
        said = flask(app, "explain", method, "/api/auth/me", "--origin", API, "--curl")[1].splitlines()[-1]
        assert shlex.split(said)[: len(words) + 3] == [*words, f"{API}/api/auth/me", "-H", "Accept: */*"]


def refuse() -> Flask:
    raise ClickException("the settings cannot be used:\n  - write development or production")


def test_check_reports_an_application_that_does_not_start() -> None:
    result = CliRunner().invoke(commands, ["check", "--json"], obj=ScriptInfo(create_app=refuse))
    assert (result.exit_code, json.loads(result.output)["problems"]) == (1, ["write development or production"])


def test_explain_reports_an_application_that_does_not_start_as_a_failed_request() -> None:
    words = ["explain", "GET", "/x", "--origin", PAGE, "--json"]
    result = CliRunner().invoke(commands, words, obj=ScriptInfo(create_app=refuse))
    found = json.loads(result.output)
    assert (result.exit_code, found["allowed"], found["reason"]) == (1, False, "CORSDidNotSucceed")
    assert "write development or production" in found["steps"][0]["detail"]


def sign_in(_: Flask, user: str) -> str:
    if user != "ada":
        raise ClickException(f"there is no user {user!r}; check the name")
    return f"who={user}"


SIGNED_IN = [  # the method and the words, whether it is production, the exit code, parts of the output
    (["GET", "--credentials"], False, 0, ["the response 200", "Sent with the session cookie.", "x-who"]),
    (["GET"], False, 0, ["the response 401", "Sent without cookies."]),
    (["POST", "--credentials"], False, 0, ["the response of the view"]),
    (["GET", "--credentials"], True, 2, ["--as needs an application in development"]),
    (["GET", "--credentials", "--as", "bob"], False, 2, ["there is no user 'bob'; check the name"]),
    (["GET", API, "--credentials"], False, 2, ["write a path"]),
]


@pytest.mark.parametrize(("words", "production", "code", "said"), SIGNED_IN)
def test_a_user_is_signed_in_for_get_requests(words: list[str], production: bool, code: int, said: list[str]) -> None:
    auth = lab("/who", credentials=True)
    auth.before_request(lambda: None if request.cookies else abort(401))
    auth.add_url_rule("/", "who", lambda: ("", {"X-Who": request.cookies["who"]}))
    auth.add_url_rule("/", "change", lambda: 1 / 0, methods=["POST"])
    app = start(auth, hints=Hints(api_url=API, production=production, sign_in=sign_in))
    target = [] if API in words else ["/who/"]
    result = flask(app, "explain", words[0], *target, "--origin", PAGE, "--as", "ada", *words[1:])
    assert (result[0], [text for text in said if text not in result[1]]) == (code, [])
    assert is_dry_run() is False


def test_explain_reports_a_header_that_a_view_sets_by_hand(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    by_hand = lab("/by-hand")
    by_hand.add_url_rule("/", "view", lambda: ("", {"Access-Control-Allow-Origin": "*"}))
    app = start(by_hand, hints=Hints(production=False))
    said = flask(app, "explain", "GET", "/by-hand/", "--origin", PAGE)[1]
    assert "Access-Control-Allow-Origin: '*' was set by hand and is removed" in " ".join(said.split())
    assert caplog.text == ""


LAX, BOTH = {"SESSION_COOKIE_SAMESITE": "Lax"}, {"SESSION_COOKIE_SAMESITE": "None"}
COOKIES = [  # a page, the API, the settings, hints, a part of the output
    (PAGE, API, LAX, {}, ""),
    ("http://192.168.1.20:5173", API, LAX, {"production": False}, ""),
    ("http://127.0.0.1:5173", API, LAX, {"production": False}, "the next request gets 401; use one host name."),
    ("http://127.0.0.1:5173", API, LAX, {}, "use one host name, or SESSION_COOKIE_SAMESITE='None'."),
    (APP, "https://api.example.org", LAX, {"cross_site_setting": "CROSS=1"}, "use one host name, or CROSS=1."),
    (APP, "https://api.example.org", BOTH, {}, ""),
    (APP, "https://api.example.com", BOTH, {"cross_site_setting": "CROSS=1"}, "CROSS=1, but every front end"),
    ("https://localhost:5173", API, LAX, {}, "use https for both, or http for both."),
    ("capacitor://localhost", API, LAX, {}, "is an app, and browsers do not send cookies for apps; let it send"),
]


@pytest.mark.parametrize(("page", "api", "config", "hints", "said"), COOKIES)
def test_check_reports_pages_without_a_cookie(
    page: str, api: str, config: dict[str, str], hints: dict[str, Any], said: str
) -> None:
    blueprint = lab(origins=[page], credentials=True)
    blueprint.add_url_rule("/", "view", str)
    app = start(blueprint, hints=Hints(api_url=api, **hints), **config)
    assert [said in problem for problem in find_problems(app)] == [True] * bool(said)


def test_an_app_that_sends_a_token_is_consistent() -> None:
    blueprint = lab(origins=["capacitor://localhost"], credentials=True, request_headers=["authorization"])
    blueprint.add_url_rule("/", "view", str)
    assert find_problems(start(blueprint, hints=Hints(api_url=API))) == []
