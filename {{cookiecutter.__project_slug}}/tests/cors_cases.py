"""What the CORS tests share: origins, the policies as declared, and a blueprint that has one."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from conftest import PAGE
from crossorigin import cors, init_cors
from flask import Blueprint, Flask

import {{ cookiecutter.__package }}

APP = "https://app.example.com"
EVIL = "https://evil.example"

# what comes as Origin; PAGE and APP are allowed
ORIGINS = [PAGE, EVIL, None, APP, "null", "", "*", f"{APP}/", f"{APP}.", f"{APP}\n", f"{APP}:443", f"{PAGE}0"]
ORIGINS += [APP.upper(), f"https://{'a' * 392}", "https://b\xfc.example", f"{APP},{APP}", f"{EVIL} {APP}"]
ORIGINS += ["https://localhost:5173", "http://localhost:5174", "http://localhost", f"{APP}@evil.example"]
ORIGINS += ["https://example.com", "https://a.app.example.com", "https://aapp.example.com", f"http{APP[5:]}"]
ORIGINS += [f"{PAGE}.evil.example", "https://me@app.example.com", "https://app-example.com"]

# by prefix, for an allowed origin: the headers of a response and of a preflight, beside Allow-Origin
ALLOW = "Access-Control-Allow-"
ANY, COOKIES = {f"{ALLOW}Origin": "*"}, {f"{ALLOW}Credentials": "true"}
JSON = {f"{ALLOW}Methods": "GET, HEAD, POST", f"{ALLOW}Headers": "Content-Type"}
NOTES = {f"{ALLOW}Headers": "Content-Type, If-Match", "Access-Control-Max-Age": "600"}
NOTES |= {f"{ALLOW}Methods": "DELETE, GET, HEAD, PATCH, POST, PUT"}
POLICIES = {
    "/api/public": (ANY, ANY | JSON),
    "/api/auth": (COOKIES, COOKIES | JSON),
    "/api/closed": (None, None),
    "/health": (None, None),
}
if find_spec("{{ cookiecutter.__package }}.notes"):  # a blueprint that a project may well remove
    EXPOSED = {"Access-Control-Expose-Headers": "ETag, X-Pagination"}
    POLICIES["/api/notes"] = (COOKIES | EXPOSED, COOKIES | NOTES)

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
BELOW, PORTS = "https://*.example.com", "http://localhost:*"
PATTERNS = [  # a pattern, and origins that it allows or refuses
    (BELOW, True, [APP, "https://a.b.example.com", "https://a-1.example.com"]),
    (BELOW, False, ["https://example.com", "https://.example.com", "https://a..example.com", f"{APP}."]),
    (BELOW, False, ["http://a.example.com", f"{APP}:8443", f"{APP}.evil.example", f"{APP}\n", BELOW]),
    (BELOW, False, ["https://A.example.com", "https://aexample.com", "https://a.exampleXcom", "null"]),
    (BELOW, False, ["https://evil.example/.example.com", f"https://{'a.' * 160}example.com"]),
    (PORTS, True, ["http://localhost", "http://localhost:1", PAGE, "http://localhost:65535"]),
    (PORTS, False, ["https://localhost:1", "http://localhost:0", "http://localhost:65536", f"{PAGE}.x"]),
]


SOURCE = Path({{ cookiecutter.__package }}.__file__ or "").parent.as_posix()


def lab(prefix: str | None = "/lab", name: str = "lab", **options: Any) -> Blueprint:
    blueprint = Blueprint(name, __name__, url_prefix=prefix)
    cors(blueprint, **{"origins": [PAGE, APP], **options})
    return blueprint


def start(*blueprints: Blueprint, **config: Any) -> Flask:
    app = Flask("lab", root_path=SOURCE)
    app.config.update(config)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    init_cors(app)
    return app
