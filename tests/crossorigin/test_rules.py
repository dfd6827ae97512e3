"""What a policy is refused for at start-up, with the fix, and what is allowed."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import flask_cors
import pytest
from click.testing import CliRunner
from crossorigin import FromConfig, Hints, PolicyError, cors, get_policies, init_cors
from flask import Blueprint, Flask
from flask.cli import ScriptInfo, cli
from flask.views import MethodView

from tests.crossorigin.cases import APP, lab, start

Cases = list[dict[str, Any]]


def each(option: str, *values: object, **others: object) -> Cases:
    return [{option: [value], **others} for value in values]


origins = partial(each, "origins")
cookies = partial(each, "origins", credentials=True)

FORMS = "'https://*.example.com' and 'http://localhost:*'"
WRITE_APP, BROWSER_SETS = f"write '{APP}'", "only the browser sets"
LITERAL = "a literal name with credentials"
REFUSED = [  # what the message says besides the name and the value of the option
    ("serve the page from http://localhost", origins("null", "file://", "file:///home/ada/page.html")),
    (WRITE_APP, origins(f"{APP}/notes", f"{APP}?a=b", f"{APP}#top", f"{APP}/", f"{APP}:443", APP.upper())),
    (WRITE_APP, origins(f" {APP}", f"{APP}\n", "https://app. example.com", "https://me@app.example.com")),
    (f"write '{APP}:8443'", origins(f"{APP}:08443", "https://App.example.com:8443", f"{APP}:8443/")),
    ("write a number from 1 to 65535", origins(f"{APP}:0", f"{APP}:65536", f"{APP}:https")),
    ("write 'https://xn--bcher-kva.example'", origins("https://bücher.example", "https://BÜCHER.example")),
    ("write 'https://xn--strae-oqa.example'", origins("https://straße.example")),  # not "strasse"
    ("write 'http://localhost'", origins("http://localhost:80")),
    ("write 'http://127.0.0.1'", origins("http://127.1", "http://0177.0.0.1", "http://0x7f000001")),
    ("write 'https://[2001:db8::1]'", origins("https://[2001:DB8::1]", "https://[2001:db8:0::1]:443")),
    ("has an invalid IP", origins("https://256.1.1.1", "https://[2001:db8::1::2]")),
    (f"write {APP}", origins("app.example.com", "app.example.com/a", "//app.example.com")),
    ("write http://localhost:5173", origins("localhost:5173")),
    (FORMS, origins("https://*example.com", "https://a.*.example.com", "https://*", "https://*.*.com")),
    (FORMS, origins(r"https://.*\.example\.com", "https://[a-z]+.example.com", "^https://app.example.com$")),
    ("a separate item", origins(f"{APP},https://b.example.com")),
    ("never means every origin; list the origins, or write none", [{"origins": ()}]),
    ("have no effect", [{"origins": ["*", APP]}]),
    ("any site could act as your users; list the origins", cookies("*")),
    (WRITE_APP, cookies("http://app.example.com")),
    ("controls the network", cookies("http://localhost.com", "http://notlocalhost", "http://10.0.0.1")),
    ("controls the network", cookies("http://*.example.com", "http://128.0.0.1", "http://[::2]")),
    ("registers a name", cookies("https://*.com", "https://*.co.uk", "https://*.github.io:8443")),
    ("with the rewrites of the page's host, or send a token", cookies("https://*.vercel.app", "vscode-webview://*")),
    ("with the rewrites of the page's host, or send a token", cookies("https://app-*-team.vercel.app")),
    ("registers a name", cookies("https://app-*-team.vercel.app", "https://app-*-team.com", "https://a-*-b")),
    ("every page of the scheme", cookies("vscode-webview://*", "chrome-extension://*")),
    (FORMS, origins("https://app-*.example.com", "https://*-team.example.com", "https://a-*-*-b.example.com")),
    (FORMS, origins("https://*.a-*-b.example.com", "https://a-**-b.example.com")),
    ("write 'PATCH'", each("methods", "patch", "Patch")),
    ("no page can send", each("methods", "CONNECT", "TRACE", "TRACK")),
    ("list them", each("methods", "*")),
    ("not a token", each("methods", "GET, POST", "") + each("expose_headers", "X:Lab")),
    ("not a token", each("request_headers", "X Lab", "", "X-Ä")),
    (BROWSER_SETS, each("request_headers", "Cookie", "origin", "HOST", "Sec-X", "Proxy-X", "DNT", "TE")),
    (BROWSER_SETS, each("request_headers", "Access-Control-Request-Private-Network")),
    ("write it in expose_headers", each("request_headers", "Access-Control-Allow-Origin", "ETag", "vary")),
    ("no page can read", each("expose_headers", "Set-Cookie", "set-cookie")),
    (LITERAL, [{name: ["*"], "credentials": True} for name in ("request_headers", "expose_headers")]),
    ("a whole number from 0 to 86400", [{"max_age": value} for value in (True, -1, 86401, 1.5, "600")]),
    ("unknown option 'origin'; did you mean 'origins'?", [{"origin": None}]),
    ("no url_prefix", [{"prefix": None}, {"prefix": "/"}]),
    ("<path:", [{"prefix": "/lab/<path:file>"}]),
]
ALLOWED = [APP, f"{APP}:8443", "https://*.example.com", "https://*.ada.github.io", "https://192.0.2.1", "none"]
ALLOWED += ["http://localhost:5173", "http://localhost:*", "http://app.localhost", "http://*.localhost:3000"]
ALLOWED += ["http://127.0.0.1:5173", "http://[::1]:5173", "https://xn--bcher-kva.example"]
ALLOWED += ["https://app-*-team.example.com", "https://app-*-team.ada.github.io", "http://a-*-b.localhost"]
ALLOWED_WITHOUT_CREDENTIALS = [
    "https://app-*-team.vercel.app",
    "vscode-webview://*",
    "http://app.example.com",
    "https://*.github.io",
    "https://*.com",
    "http://10.0.0.1",
    "*",
]
ALLOWED_OPTIONS: Cases = [{"methods": ["GET", "PROPFIND"], "max_age": 0}, {"methods": [], "max_age": 86400}]
ALLOWED_OPTIONS += [{"request_headers": ["*", "Authorization"], "expose_headers": ["*"]}]


def get_error(*blueprints: Blueprint, **config: Any) -> str:
    with pytest.raises(PolicyError) as caught:
        start(*blueprints, **config)
    return caught.value.message


@pytest.mark.parametrize(
    ("options", "fix"),
    [pytest.param(case, fix, id=f"{case}: {fix}") for fix, cases in REFUSED for case in cases],
)
def test_a_policy_is_refused_with_a_fix(options: dict[str, Any], fix: str) -> None:
    message = get_error(lab(**options))
    name, value = next(iter(options.items()))
    shown = repr(value[0]) if isinstance(value, list) else str(value or "")
    assert [part for part in (name, shown, fix) if part not in message] == []


@pytest.mark.parametrize(
    "options", [*cookies(*ALLOWED), *origins(*ALLOWED, *ALLOWED_WITHOUT_CREDENTIALS), *ALLOWED_OPTIONS], ids=str
)
def test_a_policy_is_allowed_with(options: dict[str, Any]) -> None:
    start(lab(**options))


@pytest.mark.parametrize("config", [{"PAGES": " , "}, {"PAGES": []}, {"PAGES": f"{APP}/, null,*"}])
def test_origins_from_a_setting_are_checked_like_others(config: dict[str, Any]) -> None:
    message = get_error(lab(origins=FromConfig("PAGES"), credentials=True), **config)
    wanted = [f"'{APP}/'", "'null'", "'*'"] if "null" in str(config) else ["never means every origin", "none"]
    assert [part for part in ("PAGES", *wanted) if part not in message] == []


def test_a_setting_that_is_not_in_the_configuration_is_reported() -> None:
    app = Flask("lab")
    app.register_blueprint(lab(origins=FromConfig("PAGES")))
    with pytest.raises(PolicyError, match=r"PAGES is not in app\.config, even if .* add it in lab/settings\.py\."):
        init_cors(app, hints=Hints(settings_code="lab/settings.py"))


@pytest.mark.parametrize("second", ["/lab/<int:room>", "/lab/<name>/"])
def test_two_policies_on_one_prefix_are_refused(second: str) -> None:
    message = get_error(lab("/lab/<int:room>"), lab(second, name="other"))
    split = (f"url_prefix='{second.rstrip('/')}/other'", "parent.register_blueprint")
    assert [text for text in ("already has a policy", *split) if text not in message] == []


def test_two_policies_on_one_prefix_are_split_as_the_message_says() -> None:
    parent, one, two = (
        Blueprint("parent", __name__, url_prefix="/lab"),
        Blueprint("one", "one"),
        Blueprint("two", "two"),
    )
    cors(parent, origins=[APP])
    for child in (one, two):
        child.add_url_rule(f"/{child.name}", "view", str)
        parent.register_blueprint(child)
    start(parent)
    start(lab("/lab"), lab("/lab/other", name="other"))


def test_one_error_has_all_problems_of_all_policies_with_their_places() -> None:
    line = inspect.currentframe().f_lineno
    one, two = Blueprint("one", __name__, url_prefix="/one"), Blueprint("two", __name__)
    cors(one, origins=["null"], methods=["get"], max_age=-1)
    cors(two, origins=["*"], credentials=True, colour="red")
    places = [text.partition(" (")[0].rpartition("/")[2] for text in get_error(one, two).splitlines()[1:]]
    assert places == [f"test_rules.py:{line + n}" for n in (2, 2, 2, 3, 3, 3)]


def add_class(app: Flask, **body: object) -> None:
    app.add_url_rule("/x", view_func=type("View", (MethodView,), body).as_view("x"))


AddLayer = Callable[[Flask], object]
OTHER_LAYERS: dict[str, AddLayer] = {
    "CORS(app)": lambda app: flask_cors.CORS(app),
    "CORS(blueprint)": lambda app: [flask_cors.CORS(b := Blueprint("b", "b")), app.register_blueprint(b)],
    "@cross_origin on a view": lambda app: app.get("/x")(flask_cors.cross_origin()(lambda: "")),
    "@cross_origin on a method": lambda app: add_class(app, get=flask_cors.cross_origin()(lambda: "")),
    "@cross_origin on a class": lambda app: add_class(app, get=str, decorators=[flask_cors.cross_origin()]),
    "a CORS_ setting": lambda app: app.config.update(CORS_ORIGINS="*"),
}


@pytest.mark.parametrize("add", OTHER_LAYERS.values(), ids=OTHER_LAYERS)
def test_a_second_cors_layer_is_refused_before_and_after_init_cors(add: AddLayer) -> None:
    before, after = Flask("before"), start(lab())
    before.register_blueprint(lab())
    for app in (before, after):
        add(app)
    with pytest.raises(PolicyError, match="remove it"):
        init_cors(before)
    for method in ("GET", "OPTIONS", "GET"):
        with pytest.raises(PolicyError, match="remove it"):
            after.test_client().open("/lab", method=method)


def test_an_application_without_init_cors_answers_500_only() -> None:
    app = Flask("lab")
    app.register_blueprint(lab())
    app.before_request(lambda: "answered")
    for path in ("/lab", "/elsewhere"):
        assert app.test_client().get(path).status_code == 500
    with pytest.raises(PolicyError, match=r"cases\.py:\d+: .*init_cors\(app\)"):
        get_policies(app).check()


def test_init_cors_is_called_once_and_last() -> None:
    app = start(lab())
    with pytest.raises(PolicyError, match="twice"):
        init_cors(app)
    with pytest.raises(PolicyError, match=r"'late' is registered after init_cors\(app\)"):
        app.register_blueprint(lab("/late", name="late"))


def test_flask_prints_the_message_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "false")  # `cli` sets it for good
    info = ScriptInfo(create_app=lambda: start(lab(origins=["*"], credentials=True)))
    result = CliRunner().invoke(cli, ["routes"], obj=info)
    assert (result.exit_code, "Traceback" in result.output) == (1, False)
    assert "list the origins" in result.output
