"""Situations in which a browser blocks a request, or leaves the cookie out: rows of plain data.

In all texts, <api> is the origin of the application, <https> the same with https, and <other> another server.
"""

from typing import Any, NamedTuple

MINE, OTHER_PORT, NUMBER = "http://localhost:5173", "http://localhost:5174", "http://127.0.0.1:5173"
APP, LAN, NULL = "https://app.example.com", "http://192.168.1.20:5173", "null"
JSON = ("Content-Type: application/json",)


class Row(NamedTuple):
    """A request of a page, and the expected explanation."""

    name: str
    app: str = "ours"  # in APPS, or "project" for the generated one
    options: str = 'origins=["http://localhost:5173"], credentials=True, request_headers=["Content-Type"]'
    page: str = MINE
    method: str = "GET"
    path: str = "/lab/notes"  # or a URL, which explain requests over the network
    headers: tuple[str, ...] = ()
    cookies: bool = False
    dotenv: str = ""  # lines of .env
    environment: str = ""  # variables
    front: str = ""  # in FRONTS
    other: str = ""  # a key of OTHERS
    debug: bool = False
    by: str | None = "app"  # who responds
    why: str = ""  # words of the fix if no edit of the project helps

    def __str__(self) -> str:
        """Return the name in a report."""
        return self.name


HEAD = """from crossorigin import FromConfig, Hints, cors, init_cors
from crossorigin.doctor.endpoint import explain_endpoint
from dotenv import dotenv_values
from flask import Blueprint, Flask, abort, redirect, request

lab = Blueprint("lab", __name__, url_prefix="/lab")
"""
VIEWS = """

@lab.route("/notes", methods=["GET", "POST", "PUT", "PATCH"])
def notes():
    return {}


@lab.route("/slash/", methods=["GET", "PUT"])
def slash():
    return {}


@lab.route("/go", methods=["GET", "POST"])
def go():
    return redirect(request.args["to"], int(request.args.get("code", "302")))


@lab.route("/error")
def error():
    raise RuntimeError("provoked")


@lab.route("/round")
def round():
    return redirect("/lab/round")

"""
VIEW_BY_HAND = """
@lab.route("/by-hand")
def by_hand():
    return {}, {"Access-Control-Allow-Origin": "*"}

"""
OURS = f"""{HEAD}cors(lab, OPTIONS)
closed = Blueprint("closed", __name__, url_prefix="/closed")
loose = Blueprint("loose", __name__)
nested = Blueprint("nested", __name__, url_prefix="/nested")
{VIEWS}{VIEW_BY_HAND}
@closed.route("/", methods=["GET", "PUT"])
@loose.route("/loose")
@nested.route("/")
def view():
    return {{}}


def create_app():
    app = Flask(__name__)
    app.config.update(dict(PAGES="http://localhost:5173") | dotenv_values(".env"))
    app.get("/free")(lambda: "free")
    closed.register_blueprint(nested)
    for blueprint in (lab, closed, loose, explain_endpoint):
        app.register_blueprint(blueprint)
    init_cors(app, closed=CLOSED, hints=Hints(production=False, HINTS))
    return app
"""
# applications without crossorigin: OPTIONS stands for the arguments of flask-cors
PLAIN = f"""from flask import Blueprint, Flask, Response, abort, jsonify, redirect, request
LAYER
app = Flask(__name__)
lab = Blueprint("lab", __name__, url_prefix="/lab")
BEFORE
{VIEWS}
app.register_blueprint(lab)
AFTER
"""
CORS, DECORATOR = "from flask_cors import CORS", "from flask_cors import cross_origin"
GUARD = "app.before_request(lambda: None if request.authorization else abort(401))"
TO_HTTPS = 'app.before_request(lambda: None if request.is_secure else redirect("<https>" + request.full_path, 308))'
WRITE = """
@app.after_request
def allow(response):
BODY
    return response
"""
ORIGIN, CREDENTIALS = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"
METHODS, HEADERS = "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"


def build_source(layer: str = "", before: str = "", after: str = "") -> str:
    """Return the source of an application with common CORS code."""
    return PLAIN.replace("LAYER", layer).replace("BEFORE", before).replace("AFTER", after)


def build_handwritten_source(condition: str = "", **headers: str) -> str:
    """Return the source of an application that writes headers by hand, perhaps on a condition."""
    lines = [f'response.headers["Access-Control-Allow-{name}"] = "{value}"' for name, value in headers.items()]
    indent = "    "
    body = "\n".join(f"{indent}{line}" for line in lines)
    if condition:
        body = f"{indent}if {condition}:\n" + "\n".join(f"{indent * 2}{line}" for line in lines)
    return build_source(after=WRITE.replace("BODY", body))


APPS = {
    "ours": OURS.replace("CLOSED", "[]"),
    "ours with a closed view": OURS.replace("CLOSED", '["lab.notes"]'),
    "flask-cors": build_source(CORS, after="CORS(app, OPTIONS)"),
    "flask-cors by init_app": build_source(CORS + "\n\ncors = CORS()", after="cors.init_app(app, OPTIONS)"),
    "flask-cors of a blueprint": build_source(CORS, before="CORS(lab, OPTIONS)"),
    "flask-cors and a guard": build_source(CORS, after=f"{GUARD}\nCORS(app, OPTIONS)"),
    "flask-cors and https": build_source(CORS, after=f"{TO_HTTPS}\nCORS(app, OPTIONS)"),
    "cross_origin on a view": build_source(
        DECORATOR,
        after='@app.route("/free", methods=["GET", "PUT"])\n@cross_origin(OPTIONS)\ndef free():\n    return {}\n',
    ),
    "nothing": build_source(),
    "one origin by hand": build_handwritten_source(Origin=MINE),
    "any origin by hand": build_handwritten_source(Origin="*"),
    "two origins by hand": build_handwritten_source(Origin=f"{MINE}, {APP}"),
    "True by hand": build_handwritten_source(Origin=MINE, Credentials="True"),
    "semicolons by hand": build_handwritten_source(Origin=MINE, Methods="GET; PUT", Headers="Content-Type"),
    "spaces by hand": build_handwritten_source(Origin=MINE, Methods="GET, PUT", Headers="Content-Type X-Lab"),
    "asterisks by hand": build_handwritten_source(Origin=MINE, Credentials="true", Methods="*", Headers="*"),
    "success only by hand": build_handwritten_source("response.status_code < 400", Origin=MINE),
    "a list by hand": build_handwritten_source(f'request.headers.get("Origin") in ["{MINE}"]', Origin=MINE),
    "GET only by hand": build_handwritten_source('request.method == "GET"', Origin=MINE),
    "nothing and a guard": build_source(after=GUARD),
}
SERVER = ["Server", "nginx/1.24.0"]
# servers in front of the application: a method ("" for all), a status or "pass", and headers (None removes one)
FRONTS: dict[str, list[list[Any]]] = {
    "doubling": [["", "pass", [SERVER, [ORIGIN, MINE]]]],
    "removing": [["", "pass", [SERVER, [ORIGIN, None]]]],
    "wildcard": [["", "pass", [SERVER, [ORIGIN, None], [ORIGIN, "*"]]]],
    "without credentials": [["", "pass", [SERVER, [CREDENTIALS, None]]]],
    "silent to OPTIONS": [["OPTIONS", 204, [SERVER]]],
    "refusing OPTIONS": [["OPTIONS", 405, [SERVER]]],
    "generous to OPTIONS": [
        ["OPTIONS", 204, [SERVER, [ORIGIN, "*"], [METHODS, "GET, PUT"], [HEADERS, "content-type"]]]
    ],
    "API down": [["", 502, [SERVER]]],
    "API busy": [["", 503, [["Server", "cloudflare"]]]],
    "API slow": [["", 504, []]],
    "large body": [["POST", 413, [SERVER]]],
    "blocking": [["", 403, [["Server", "cloudflare"]]]],
    "sign-in by redirect": [["", 302, [SERVER, ["Location", "http://login.example.net/start"]]]],
    "sign-in by 401": [["", 401, [["Content-Type", "text/html"]]]],
    "to https": [["", 301, [SERVER, ["Location", "<https><path>"]]]],
    "warning page": [["GET", 200, [["Content-Type", "text/html"], ["ngrok-error-code", "ERR_NGROK_6024"]]]],
}
OTHERS: dict[str, list[list[Any]]] = {
    "plain": [
        ["GET", 200, [["Server", "SimpleHTTP/0.6 Python/3.11"]]],
        ["OPTIONS", 501, [["Server", "SimpleHTTP/0.6"]]],
    ],
    "rails": [["", 200, [["X-Request-Id", "5b1b2f6e"], ["Server", "nginx"]]]],
    "open": [["", 200, [[ORIGIN, "*"]]]],
    "airplay": [["", 403, [["Server", "AirTunes/870.14.1"]]]],
    "listing another": [["", 200, [[ORIGIN, APP]]]],
    "to ours": [["", 302, [[ORIGIN, "*"], ["Location", "<api>/lab/notes"]]]],
}


def build_rows(common: dict[str, Any], rows: dict[str, dict[str, Any]]) -> list[Row]:
    """Return rows with common values."""
    return [Row(name, **{**common, **more}) for name, more in rows.items()]


# in each row, the page and the allowed origin differ in one part
LOOK_ALIKES = {
    "another port": (MINE, OTHER_PORT),
    "no port": ("http://localhost", MINE),
    "http for https": ("https://localhost:5173", MINE),
    "a numeric name": (MINE, NUMBER),
    "an IPv6 name": (MINE, "http://[::1]:5173"),
    "a name below localhost": (MINE, "http://app.localhost:5173"),
    "a subdomain": ("https://example.com", APP),
    "the parent domain": (APP, "https://example.com"),
    "another ending": (APP, "https://app.example.org"),
    "a dash for a dot": (APP, "https://app-example.com"),
    "a port of https": (APP, f"{APP}:8443"),
    "a name that begins alike": (APP, f"{APP}.evil.example"),
    "an IDN": ("https://bucher.example", "https://xn--bcher-kva.example"),
    "a pattern's own domain": ("https://*.example.com", "https://example.com"),
    "a pattern of ports": ("http://localhost:*", NUMBER),
    "a pattern inside a label": ("https://app-*-team.example.com", "https://app-1-other.example.com"),
    "no page at all": ("none", MINE),
    "a LAN address": (MINE, LAN),
}
ORIGINS = [
    Row(
        f"{name}, {method}",
        options=f'origins=["{allowed}"], credentials=True, request_headers=["Content-Type"]',
        page=page,
        method=method,
        headers=JSON if method == "PUT" else (),
        cookies=cookies,
    )
    for name, (allowed, page) in LOOK_ALIKES.items()
    for method, cookies in (("GET", False), ("PUT", True))
]
ORIGINS += build_rows(
    {},
    {
        "a file": {"page": NULL, "why": "serve the page over http"},
        "http in the internet with cookies": {
            "page": "http://app.example.com",
            "why": "anyone who controls the network",
        },
        "http in the internet without cookies": {
            "page": "http://app.example.com",
            "options": 'origins=["https://app.example.com"]',
        },
        "a setting": {
            "page": OTHER_PORT,
            "options": 'origins=FromConfig("PAGES"), credentials=True',
        },
        "a view that writes the header by hand": {"page": OTHER_PORT, "path": "/lab/by-hand"},
        "a 500": {"page": OTHER_PORT, "path": "/lab/error"},
        "a 404 under the policy": {"page": OTHER_PORT, "path": "/lab/nothing"},
        "a 405 under the policy": {
            "page": OTHER_PORT,
            "path": "/lab/error",
            "method": "DELETE",
            "why": 'a route with methods=["DELETE"]',
        },
    },
)
RULES = build_rows(
    {},
    {
        "patch in lower case": {"method": "patch"},
        "a method without a route": {"method": "DELETE", "why": 'a route with methods=["DELETE"]'},
        "a method of WebDAV": {"method": "PROPFIND", "why": 'a route with methods=["PROPFIND"]'},
        "a method that is not listed": {
            "method": "PATCH",
            "options": 'origins=["http://localhost:5173"], methods=["GET", "PUT"]',
        },
        "OPTIONS itself": {"method": "OPTIONS"},
        "TRACE": {"method": "TRACE", "why": "browsers do not send", "by": None},
        "CONNECT": {"method": "CONNECT", "why": "browsers do not send", "by": None},
        "a header of ours": {"headers": ("X-Lab: 1",)},
        "two headers of ours": {"headers": ("X-Lab: 1", "X-Other: 2"), "method": "POST"},
        "JSON": {"method": "POST", "headers": JSON, "options": 'origins=["http://localhost:5173"]'},
        "a type with quotes": {
            "method": "POST",
            "headers": ('Content-Type: text/plain; charset="utf-8"',),
            "options": 'origins=["http://localhost:5173"]',
        },
        "a bearer token": {"headers": ("Authorization: Bearer lab",)},
        "If-Match": {"method": "PUT", "headers": ('If-Match: "1"', *JSON)},
        "Range": {"headers": ("Range: bytes=-9",)},
        "Accept with an unsafe byte": {"headers": ("Accept: (lab)",)},
        "Accept-Language with an unsafe byte": {"headers": ("Accept-Language: d@e",)},
        "a long Accept": {"headers": (f"Accept: {'a' * 129}",)},
        "Cache-Control": {"headers": ("Cache-Control: no-cache",)},
        "X-Requested-With": {"headers": ("X-Requested-With: XMLHttpRequest",), "method": "POST"},
        "the answer's header in the request": {"headers": ("Access-Control-Allow-Origin: *",)},
        "Vary in the request": {"headers": ("Vary: Origin", *JSON), "method": "POST"},
        "a header beyond Latin-1": {
            "headers": ("X-Lab: \u5b9e",),
            "options": 'origins=["http://localhost:5173"], request_headers=["X-Lab"]',
            "by": None,
        },
        "cookies that the policy does not grant": {
            "cookies": True,
            "options": 'origins=["http://localhost:5173"]',
        },
        "cookies that it does not grant, preflighted": {
            "cookies": True,
            "method": "PUT",
            "headers": JSON,
            "options": 'origins=["http://localhost:5173"], request_headers=["Content-Type"]',
        },
        "cookies for any page": {"cookies": True, "options": 'origins=["*"]', "page": OTHER_PORT},
        "cookies for any page, preflighted": {"cookies": True, "options": 'origins=["*"]', "method": "PUT"},
    },
)
SEVERAL = build_rows(
    {},
    {
        "origin and header": {"page": OTHER_PORT, "headers": ("X-Lab: 1",)},
        "origin and method": {
            "page": OTHER_PORT,
            "method": "PATCH",
            "options": 'origins=["http://localhost:5173"], methods=["GET"]',
        },
        "origin and cookies": {
            "page": OTHER_PORT,
            "cookies": True,
            "options": 'origins=["http://localhost:5173"]',
        },
        "method and header": {
            "method": "PATCH",
            "headers": ("X-Lab: 1",),
            "options": 'origins=["http://localhost:5173"], methods=["GET"]',
        },
        "cookies and header": {
            "cookies": True,
            "headers": ("X-Lab: 1",),
            "options": 'origins=["http://localhost:5173"]',
        },
        "no policy and a header": {"path": "/closed/", "headers": ("X-Lab: 1",)},
        "no policy and cookies": {"path": "/closed/", "cookies": True},
    },
)
PLACES = build_rows(
    {},
    {
        "a blueprint without a policy": {"path": "/closed/"},
        "a blueprint without a policy, preflighted": {"path": "/closed/", "method": "PUT", "headers": JSON},
        "a nested blueprint without a policy": {"path": "/closed/nested/"},
        "a blueprint without a prefix": {"path": "/loose", "why": "url_prefix="},
        "a view without a blueprint": {"path": "/free", "why": "into a blueprint"},
        "a typing error in the path": {"path": "/lap/notes"},
        "no path like it": {"path": "/~~~~~~", "why": "no route or policy"},
        "a longer name": {"path": "/lab-internal/notes"},
        "upper case": {"path": "/LAB/notes"},
        "a closed view": {"app": "ours with a closed view"},
        "a static file": {"path": "/static/nothing.js", "why": "static"},
        "a redirect out of the API": {"path": "/lab/go?to=<other>/x", "by": "other", "why": "navigation"},
        "a redirect of a form out of the API": {
            "path": "<api>/lab/go?to=<other>/x",
            "method": "POST",
            "by": "other",
            "why": "navigation",
        },
        "a redirect to its page": {"path": "/lab/go?to=http://localhost:5173/", "by": "other"},
        "a redirect to no web address": {"path": "/lab/go?to=mailto:ada@example.com", "why": "remove the redirect"},
        "a redirect with a user name": {"path": "/lab/go?to=http://me@api.example.com/lab/notes", "why": "redirect"},
        "a redirect without an end": {"path": "/lab/round", "why": "redirect"},
    },
)
LISTED = 'origins=["http://localhost:5173"]'
FLASK_CORS = build_rows(
    {"app": "flask-cors", "options": LISTED},
    {
        "flask-cors, another port": {"page": OTHER_PORT},
        "flask-cors, another port, preflighted": {"page": OTHER_PORT, "method": "PUT"},
        "flask-cors, a slash": {"options": 'origins=["http://localhost:5173/"]'},
        "flask-cors, one text": {"options": 'origins="http://localhost:3000"'},
        "flask-cors, the wrong scheme": {"options": 'origins=["https://localhost:5173"]', "method": "POST"},
        "flask-cors, cookies": {"cookies": True},
        "flask-cors, cookies, preflighted": {"cookies": True, "method": "PUT", "headers": JSON},
        "flask-cors, cookies and an asterisk": {"options": "send_wildcard=True", "cookies": True},
        "flask-cors, a header": {"options": f'{LISTED}, allow_headers=["Content-Type"]', "headers": ("X-Lab: 1",)},
        "flask-cors, a method": {"options": f'{LISTED}, methods=["GET"]', "method": "PUT"},
        "flask-cors, patch": {"method": "patch"},
        "flask-cors, other resources": {"options": 'resources={"/api/*": {"origins": "*"}}'},
        "flask-cors, a redirect for the slash": {"path": "/lab/slash", "method": "PUT"},
        "flask-cors by init_app": {"app": "flask-cors by init_app", "page": OTHER_PORT},
        "flask-cors of a blueprint": {"app": "flask-cors of a blueprint", "page": OTHER_PORT},
        "flask-cors of a blueprint, a 404": {
            "app": "flask-cors of a blueprint",
            "path": "/lab/nothing",
            "why": "no route has",
        },
        "flask-cors, a preflight that is refused": {
            "app": "flask-cors and a guard",
            "method": "PUT",
            "headers": ("Authorization: Basic YTpi",),
            "why": "skip OPTIONS",
        },
        "flask-cors, a preflight that is redirected": {
            "app": "flask-cors and https",
            "method": "PUT",
        },
        "cross_origin on another view": {"app": "cross_origin on a view"},
        "cross_origin for another page": {"app": "cross_origin on a view", "path": "/free", "page": OTHER_PORT},
        "flask-cors, a debug 500": {"path": "/lab/error", "debug": True, "why": "exception"},
    },
)
BY_HAND = build_rows(
    {"options": ""},
    {
        "by hand, another port": {"app": "one origin by hand", "page": OTHER_PORT},
        "by hand, a method": {"app": "one origin by hand", "method": "PUT"},
        "by hand, a header": {"app": "one origin by hand", "headers": ("X-Lab: 1",)},
        "by hand, cookies": {"app": "one origin by hand", "cookies": True},
        "by hand, cookies and an asterisk": {"app": "any origin by hand", "cookies": True},
        "by hand, two origins": {"app": "two origins by hand"},
        "by hand, True": {"app": "True by hand", "cookies": True},
        "by hand, semicolons": {"app": "semicolons by hand", "method": "PUT"},
        "by hand, spaces": {"app": "spaces by hand", "headers": ("X-Lab: 1",)},
        "by hand, asterisks and cookies": {"app": "asterisks by hand", "method": "PUT", "cookies": True},
        "by hand, a 404": {"app": "success only by hand", "path": "/lab/nothing", "why": "every response"},
        "by hand, another page of a list": {"app": "a list by hand", "page": OTHER_PORT, "why": "for pages of"},
        "by hand, GET only": {"app": "GET only by hand", "method": "PUT", "why": "every response"},
        "by hand, a debug 500": {"app": "one origin by hand", "path": "/lab/error", "debug": True, "why": "exception"},
        "nothing": {"app": "nothing", "why": "nothing in this application writes CORS headers"},
        "nothing, preflighted": {"app": "nothing", "method": "PUT", "headers": JSON, "why": "nothing in this"},
        "nothing, another method": {"app": "nothing", "method": "DELETE", "why": "nothing in this"},
        "nothing and a guard": {"app": "nothing and a guard", "method": "PUT", "why": "OPTIONS"},
    },
)
PROJECT = build_rows(
    {"app": "project", "path": "/api/notes", "cookies": True},
    {
        "project, another port": {"page": OTHER_PORT},
        "project, React's port": {"page": "http://localhost:3000", "method": "POST", "headers": JSON},
        "project, a numeric name": {"page": NUMBER, "path": "/api/auth/me"},
        "project, a numeric name, preflighted": {
            "page": NUMBER,
            "path": "/api/auth/login",
            "method": "POST",
            "headers": JSON,
        },
        "project, a LAN address": {"page": LAN},
        "project, a file": {"page": NULL},
        "project, https": {"page": "https://localhost"},
        "project, the deployed page": {"page": APP},
        "project, a page by http": {"page": "http://app.example.com"},
        "project, a setting of the environment": {
            "page": OTHER_PORT,
            "environment": "FRONTEND_ORIGINS=http://localhost:3000",
        },
        "project, production's .env": {"dotenv": "FRONTEND_ORIGINS=https://app.example.com"},
        "project, a pattern": {"dotenv": "FRONTEND_ORIGINS=https://*.example.com", "page": "https://example.com"},
        "project, one origin": {"dotenv": "FRONTEND_ORIGINS=none", "page": OTHER_PORT},
        "project, a slash": {
            "dotenv": "FRONTEND_ORIGINS=http://localhost:5173/",
            "by": None,
            "why": "fix what the message says",
        },
        "project, no setting": {"dotenv": "FRONTEND_ORIGINS=", "by": None, "why": "fix what the message says"},
        "project, null": {"dotenv": "FRONTEND_ORIGINS=null", "by": None, "why": "fix what the message says"},
        "project, a method": {"method": "PUT", "path": "/api/auth/me", "why": 'a route with methods=["PUT"]'},
        "project, patch": {"method": "patch", "path": "/api/notes/1", "headers": JSON},
        "project, a header": {"headers": ("X-Lab: 1",)},
        "project, a header of a library": {"headers": ("X-CSRF-Token: 1", *JSON), "method": "POST"},
        "project, a header of Sentry": {"headers": ("sentry-trace: 1", "baggage: a=b")},
        "project, If-Match of a sign-in": {
            "path": "/api/auth/login",
            "method": "POST",
            "headers": ('If-Match: "1"', *JSON),
        },
        "project, cookies where all may read": {"path": "/api/public/hello"},
        "project, cookies where all may write": {"path": "/api/public/echo", "method": "POST", "headers": JSON},
        "project, a method where all may read": {
            "path": "/api/public/hello",
            "method": "PUT",
            "cookies": False,
            "why": 'a route with methods=["PUT"]',
        },
        "project, no policy": {"path": "/health/live"},
        "project, the document": {"path": "/api/openapi.json", "why": "belongs to the library"},
        "project, the demo": {"path": "/api/demo/no-cors/hello", "cookies": False},
        "project, a typing error": {"path": "/api/note"},
        "project, nothing like it": {"path": "/nowhere", "why": "no route or policy"},
        "project, TRACE": {"method": "TRACE", "by": None, "why": "browsers do not send"},
    },
)
DEPLOYED = f"""APP_ENV=production
SECRET_KEY={"0123456789abcdef" * 4}
FRONTEND_ORIGINS={APP}
API_URL=https://api.example.com"""
PRODUCTION = build_rows(
    {"app": "project", "path": "https://api.example.com/api/notes", "cookies": True, "dotenv": DEPLOYED},
    {
        "production, another subdomain": {"page": "https://www.example.com"},
        "production, another subdomain, preflighted": {
            "page": "https://www.example.com",
            "method": "POST",
            "headers": JSON,
        },
        "production, development's page": {"page": MINE},
        "production, another site": {"page": "https://lab.example.org"},
        "production, a page by http": {"page": "http://app.example.com"},
        "production, a LAN address": {"page": LAN, "why": "anyone who controls the network"},
        "production, a header": {"page": APP, "headers": ("X-Lab: 1",)},
        "production, patch": {"page": APP, "method": "patch", "path": "https://api.example.com/api/notes/1"},
        "production, cookies where all may read": {"page": APP, "path": "https://api.example.com/api/public/hello"},
    },
)
IN_FRONT = build_rows(
    {"app": "project", "path": "<api>/api/notes", "cookies": True, "by": "proxy"},
    {
        "a second header": {"front": "doubling", "by": "proxy", "why": "add_header"},
        "a second header, preflighted": {
            "front": "doubling",
            "method": "PUT",
            "path": "<api>/api/notes/1",
            "headers": JSON,
            "why": "add_header",
        },
        "a header is removed": {"front": "removing", "why": "in front"},
        "a header is replaced": {"front": "wildcard", "why": "in front"},
        "credentials are removed": {"front": "without credentials", "why": "in front"},
        "OPTIONS answered": {"front": "silent to OPTIONS", "method": "POST", "headers": JSON, "why": "OPTIONS"},
        "OPTIONS refused": {"front": "refusing OPTIONS", "method": "POST", "headers": JSON, "why": "OPTIONS"},
        "OPTIONS answered for all": {
            "front": "generous to OPTIONS",
            "method": "POST",
            "headers": JSON,
            "why": "OPTIONS",
        },
        "a 502": {"front": "API down", "why": "start the API"},
        "a 502, preflighted": {"front": "API down", "method": "POST", "headers": JSON, "why": "start the API"},
        "a 503": {"front": "API busy", "why": "start the API"},
        "a 504 without a name": {"front": "API slow", "why": "start the API"},
        "a 413": {"front": "large body", "method": "POST", "headers": ("Content-Type: text/plain",), "why": "body"},
        "a 403 of a firewall": {"front": "blocking", "why": "in front"},
        "a sign-in by redirect": {"front": "sign-in by redirect", "why": "sign-in"},
        "a sign-in by 401": {"front": "sign-in by 401", "why": "in front"},
        "a sign-in by 401, preflighted": {
            "front": "sign-in by 401",
            "method": "POST",
            "headers": JSON,
            "why": "in front",
        },
        "a redirect to https": {"front": "to https", "path": "<api>/api/public/hello", "cookies": False},
        "a redirect to https, preflighted": {
            "front": "to https",
            "path": "<api>/api/public/echo",
            "method": "POST",
            "headers": JSON,
            "cookies": False,
        },
        "a warning page": {"front": "warning page"},
        "nothing in front, another port": {"page": OTHER_PORT, "by": "app"},
        "nothing in front, preflighted": {"page": OTHER_PORT, "method": "POST", "headers": JSON, "by": "app"},
    },
)
ELSEWHERE = build_rows(
    {"path": "<other>/data.json", "by": "other", "other": "plain"},
    {
        "another server": {"why": "call it from"},
        "another server, preflighted": {"method": "PUT", "headers": JSON, "why": "call it from"},
        "another server with a request id": {"other": "rails", "why": "call it from"},
        "another server, open, cookies": {"other": "open", "cookies": True},
        "another server, open, a header": {"other": "open", "headers": ("X-Lab: 1",), "why": "call it from"},
        "another server for another page": {"other": "listing another", "why": "call it from"},
        "another server that redirects to ours": {"other": "to ours", "by": "app"},
        "AirPlay": {"other": "airplay", "why": "AirPlay"},
        "AirPlay, preflighted": {"other": "airplay", "method": "PUT", "why": "AirPlay"},
        "a dead server": {"path": "<dead>/lab", "by": None, "why": "start the server"},
        "a dead server, preflighted": {
            "path": "<dead>/lab",
            "by": None,
            "method": "PUT",
            "why": "start the server",
        },
        "an unknown name": {"path": "http://nowhere.invalid/lab", "by": None, "why": "name"},
        "a name of a container": {"path": "http://api:8000/lab", "by": None, "why": "container"},
        "https where http is spoken": {"path": "<not-https>/lab/notes", "by": None},
        "an http API from an https page": {
            "page": APP,
            "path": "http://api.example.com/lab/notes",
            "by": None,
            "why": "over https",
        },
    },
)
COOKIES = build_rows(
    {"cookies": True},
    {
        "no cookies asked for": {"cookies": False, "app": "project", "path": "/api/notes"},
        "a cookie of another name of this machine": {
            "app": "project",
            "page": NUMBER,
            "path": "/api/auth/me",
            "dotenv": f"FRONTEND_ORIGINS={NUMBER},{MINE}",
        },
        "a cookie of another site": {
            "app": "project",
            "page": APP,
            "path": "/api/auth/me",
            "dotenv": f"FRONTEND_ORIGINS={APP}",
        },
    },
)
ROWS = [
    *ORIGINS,
    *RULES,
    *SEVERAL,
    *PLACES,
    *FLASK_CORS,
    *BY_HAND,
    *PROJECT,
    *PRODUCTION,
    *IN_FRONT,
    *ELSEWHERE,
    *COOKIES,
]
