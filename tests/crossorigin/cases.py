"""Shared by the tests of `crossorigin`: origins, blueprints with a policy, and the writers of CORS headers."""

from collections.abc import Callable, Sequence
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from typing import Any

from crossorigin import Hints, cors, init_cors
from flask import Blueprint, Flask, Response, abort

from tests.crossorigin.conftest import FOLDER

PAGE = "http://localhost:5173"
APP = "https://app.example.com"
EVIL = "https://evil.example"

# values of Origin; PAGE and APP are allowed
ORIGINS = [PAGE, EVIL, None, APP, "null", "", "*", f"{APP}/", f"{APP}.", f"{APP}\n", f"{APP}:443", f"{PAGE}0"]
ORIGINS += [APP.upper(), f"https://{'a' * 392}", "https://b\xfc.example", f"{APP},{APP}", f"{EVIL} {APP}"]
ORIGINS += ["https://localhost:5173", "http://localhost:5174", "http://localhost", f"{APP}@evil.example"]
ORIGINS += ["https://example.com", "https://a.app.example.com", "https://aapp.example.com", f"http{APP[5:]}"]
ORIGINS += [f"{PAGE}.evil.example", "https://me@app.example.com", "https://app-example.com"]

# by prefix: what its blueprint declares, and for an allowed origin the headers of a response and of a preflight
ALLOW = "Access-Control-Allow-"
ANY, COOKIES = {f"{ALLOW}Origin": "*"}, {f"{ALLOW}Credentials": "true"}
EXPOSED = {"Access-Control-Expose-Headers": "ETag, X-Pagination"}
JSON = {f"{ALLOW}Methods": "GET, HEAD, POST", f"{ALLOW}Headers": "Content-Type"}
NOTES = {f"{ALLOW}Headers": "Content-Type, If-Match", "Access-Control-Max-Age": "600"}
NOTES |= {f"{ALLOW}Methods": "DELETE, GET, HEAD, PATCH, POST, PUT"}
LISTED, READS = {"origins": [PAGE, APP], "credentials": True}, {"request_headers": ["Content-Type"]}
CHANGES = {"request_headers": ["Content-Type", "If-Match"], "expose_headers": ["X-Pagination", "ETag"], "max_age": 600}
POLICIES: dict[str, tuple[dict[str, Any] | None, dict[str, str] | None, dict[str, str] | None]] = {
    "/api/public": ({"origins": ["*"], **READS}, ANY, ANY | JSON),
    "/api/auth": (LISTED | READS, COOKIES, COOKIES | JSON),
    "/api/notes": (LISTED | CHANGES, COOKIES | EXPOSED, COOKIES | NOTES),
    "/api/demo/no-cors": (None, None, None),
    "/health": (None, None, None),
}

DECIDED = {  # the prefixes, a path, and the number of the prefix that decides about it
    "the deeper prefix": (["/api", "/api/lab"], "/api/lab/x", 1),
    "the outer prefix beside the deeper": (["/api/lab", "/api"], "/api/label", 1),
    "a literal before a variable": (["/labs/<name>", "/labs/mine"], "/labs/mine/x", 1),
    "a variable": (["/labs/<name>", "/labs/mine"], "/labs/mines", 0),
    "a deeper variable before a literal": (["/labs/mine", "/labs/<name>/notes"], "/labs/mine/notes", 1),
    "a typed variable, about the 404 too": (["/labs/<int:number>"], "/labs/one/x", 0),
    "a variable inside of a segment": (["/v<int:number>/lab"], "/v2/lab", 0),
    "nothing above": (["/api/lab"], "/api", None),
    "nothing for a longer segment": (["/api/lab"], "/api/lab-internal", None),
    "nothing in upper case": (["/api/lab"], "/API/lab", None),
    "the prefix with empty segments": (["/api/lab"], "/api//lab/", 0),
    "the percent-encoded prefix": (["/api/lab"], "/api/l%61b", 0),
    "the prefix beyond ASCII": (["/api/größen"], "/api/gr%C3%B6%C3%9Fen/x", 0),
    "nothing for a slash encoded twice": (["/api/lab"], "/api%252Flab", None),
    "the outer prefix for a letter encoded twice": (["/api/lab", "/api"], "/api/l%2561b", 1),
}
BELOW, PORTS, INSIDE = "https://*.example.com", "http://localhost:*", "https://app-*-team.example.com"
PATTERNS = [  # a pattern, and origins that it allows or refuses
    (BELOW, True, [APP, "https://a.b.example.com", "https://a-1.example.com"]),
    (BELOW, False, ["https://example.com", "https://.example.com", "https://a..example.com", f"{APP}."]),
    (BELOW, False, ["http://a.example.com", f"{APP}:8443", f"{APP}.evil.example", f"{APP}\n", BELOW]),
    (BELOW, False, ["https://A.example.com", "https://aexample.com", "https://a.exampleXcom", "null"]),
    (BELOW, False, ["https://evil.example/.example.com", f"https://{'a.' * 160}example.com"]),
    (INSIDE, True, ["https://app-1-team.example.com", "https://app-a-b_c-team.example.com"]),
    (
        INSIDE,
        False,
        ["https://app--team.example.com", "https://app-.-team.example.com", "https://app-a.b-team.example.com"],
    ),
    (INSIDE, False, [INSIDE, f"https://app-{'a' * 64}-team.example.com", "https://x.app-1-team.example.com"]),
    ("vscode-webview://*", True, ["vscode-webview://a1-b2"]),
    ("vscode-webview://*", False, ["vscode-webview://", "vscode-webview://a.b", "https://a1-b2"]),
    (PORTS, True, ["http://localhost", "http://localhost:1", PAGE, "http://localhost:65535"]),
    (PORTS, False, ["https://localhost:1", "http://localhost:0", "http://localhost:65536", f"{PAGE}.x"]),
]

Writer = Callable[[Flask], object]  # called first, it registers what writes the headers of responses


def load_writer(variant: str) -> Writer:
    """Return `init_app` of a variant of the application's `cors_headers.py`, whose file name has a condition."""
    (path,) = FOLDER.glob(f"*/*{variant} %}}cors_headers.py*")
    loader = SourceFileLoader(f"cors_headers_of_{variant}", str(path))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    writer: Writer = module.init_app
    return writer


# both variants that a project may have, and what `crossorigin` registers where an application has none
WRITERS: dict[str, Writer] = {
    "flask-cors": load_writer("__flask_cors"),
    "by-hand": load_writer("__by_hand"),
    "crossorigin": lambda _: None,
}


def lab(prefix: str | None = "/lab", name: str = "lab", **options: Any) -> Blueprint:
    """Return a blueprint with a policy."""
    blueprint = Blueprint(name, __name__, url_prefix=prefix)
    cors(blueprint, **{"origins": [PAGE, APP], **options})
    return blueprint


def start(
    *blueprints: Blueprint,
    writer: Writer = WRITERS["crossorigin"],
    closed: Sequence[str] = (),
    hints: Hints | None = None,
    **config: Any,
) -> Flask:
    """Return an application with these blueprints."""
    app = Flask("lab", root_path="no-source")
    writer(app)
    app.config.update(config)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    init_cors(app, closed=closed, hints=hints)
    return app


def outcome(status: int) -> Response:
    """Answer with a status, in the way of a view, of Flask or of a bug."""
    if status == 500:
        raise RuntimeError("provoked")
    return abort(status) if status >= 400 else Response(status=status)


def blueprints() -> list[Blueprint]:
    """Return a blueprint of each policy, which has a path for each outcome."""
    made = []
    for prefix, (options, _, preflight) in POLICIES.items():
        blueprint = Blueprint(prefix.rpartition("/")[2], __name__, url_prefix=prefix)
        if options is not None:
            cors(blueprint, **options)
        methods = (preflight or {}).get(f"{ALLOW}Methods", "GET").split(", ")
        blueprint.add_url_rule("/thing", "thing", str, methods=methods)
        blueprint.add_url_rule("/outcome/<int:status>", "outcome", outcome)
        made.append(blueprint)
    return made
