"""Write the template's docs/blocked-by-cors.md anew from the messages of the code.

`uv run python -m scripts.blocked_by_cors`, after a change of a message. A test compares the two.
"""

import re
from typing import Any

from tests.crossorigin.conftest import FOLDER  # isort: skip (it lets `crossorigin` be imported)

from crossorigin import Hints
from crossorigin.declare import KEY, Declaration, Policies
from crossorigin.doctor.browser import Response
from crossorigin.doctor.cli import MDN
from crossorigin.doctor.trace import build_request, explain
from crossorigin.doctor.transport import Answer, describe_network_error
from crossorigin.policy import FromConfig, Policy
from flask import Flask

DOCUMENT = FOLDER / "docs" / "blocked-by-cors.md"
PAGE, API, LAB = "http://localhost:5173", "http://localhost:8000", "http://localhost:8000/api/lab"
NUMBER, HTTP, HTTPS = "http://127.0.0.1:5173", "http://app.example.com", "https://app.example.com"
ALLOW = {name: f"Access-Control-Allow-{name}" for name in ("Origin", "Credentials", "Methods", "Headers")}
FINE = f"200 | Origin: {PAGE} | Credentials: true"
LISTS = f"{FINE} | Methods: PUT | Headers: Content-Type"

GO = FINE.replace("200", "302")

NO_HEADER = "No 'Access-Control-Allow-Origin' header is present on the requested resource."
OTHER = "… has a value '…' that is not equal to the supplied origin."
SEVERAL = "… contains multiple values '…', but only one is allowed."
REDIRECT = "Redirect is not allowed for a preflight request."
INCLUDE = "when the request's credentials mode is 'include'."
METHOD = "is not allowed by Access-Control-Allow-Methods in preflight response."
FIELD = "is not allowed by Access-Control-Allow-Headers in preflight response."
NOTHING = "nothing; but the request after the sign-in gets 401"
BLOCKED = [  # Chromium's console, what the page asks for beside GET, and the answers: a preflight's first
    (NO_HEADER, {"origin": NUMBER}, "200"),
    (NO_HEADER, {"origin": "http://localhost:5174"}, "200"),
    (NO_HEADER, {"origin": HTTPS}, "200"),
    (NO_HEADER, {"origin": HTTP, "url": "http://api.example.com/api/lab"}, "200"),
    (NO_HEADER, {"origin": "null"}, "200"),
    (NO_HEADER, {}, "200"),
    (NO_HEADER, {"url": f"{API}/api/lib"}, "404"),
    (NO_HEADER, {"url": "https://api.example.org/weather"}, "200"),
    (NO_HEADER, {}, "502 | Server: nginx"),
    (NO_HEADER, {"method": "PUT"}, "401 | Server: nginx"),
    (NO_HEADER, {"url": "http://localhost:5000/api/lab"}, "403 | Server: AirTunes/870"),
    (OTHER, {}, "200 | Origin: http://localhost:3000"),
    (OTHER, {}, f"{GO} | Location: https://api.example.org/lab", FINE, FINE),
    (SEVERAL, {}, f"200 | Origin: {PAGE} | Origin: {PAGE}"),
    (f"… must not be the wildcard '*' {INCLUDE}", {}, "200 | Origin: *"),
    (f"… is '' which must be 'true' {INCLUDE}", {}, f"200 | Origin: {PAGE}"),
    (REDIRECT, {"method": "PUT"}, "308 | Location: /api/lab/"),
    (REDIRECT, {"method": "PUT"}, "301 | Location: https://localhost/api/lab"),
    ("… It does not have HTTP ok status.", {"method": "PUT"}, FINE.replace("200", "405")),
    ("Cannot parse Access-Control-Allow-Methods …", {"method": "PUT"}, f"{FINE} | Methods: [PUT]"),
    ("Cannot parse Access-Control-Allow-Headers …", {"method": "PUT"}, f"{FINE} | Headers: [X-Lab]"),
    (f"Method put-all {METHOD}", {"method": "put-all"}, LISTS),
    (f"Method patch {METHOD}", {"method": "patch"}, LISTS.replace("PUT", "PATCH")),
    (f"Method DELETE {METHOD}", {"method": "DELETE"}, LISTS),
    (f"Request header field x-lab {FIELD}", {"headers": [("X-Lab", "1")]}, LISTS),
    (f"Request header field vary {FIELD}", {"headers": [("Vary", "Origin")]}, LISTS),
    (
        "Cross origin requests are only supported for protocol schemes: …",
        {},
        f"{GO} | Location: ftp://api.example.com",
    ),
    ("net::ERR_TOO_MANY_REDIRECTS", {}, *[f"{GO} | Location: /api/lab"] * 21),
    ("Mixed Content: …", {"origin": HTTPS, "url": "http://api.example.com/api/lab"}),
    ("Permission was denied for this request to access the … address space.", {"origin": HTTP}),
    ("net::ERR_CONNECTION_REFUSED", {}),
    ("'TRACE' HTTP method is unsupported.", {"method": "TRACE"}),
    *((NOTHING, {"origin": page}, FINE.replace(PAGE, page)) for page in (NUMBER, HTTPS)),
]

HINTS = Hints(  # the words of the project
    settings_file=".env",
    start_command="uv run dev.py",
    frontend_url=PAGE,
    api_url=API,
    hosts=["api.example.com"],
    production=False,
    api_url_setting="API_URL",
    cross_site_setting="CROSS_SITE_COOKIES=1",
    frontend_api_url_setting="VITE_API_URL",
)
GIVEN: dict[str, Any] = {"origins": [PAGE], "methods": None, "request_headers": [], "expose_headers": []}
GIVEN |= {"credentials": False, "max_age": None}

HEAD = """# Blocked by CORS policy

What you see, why, and what to write. This page is made from the messages of the code, and a test compares the
two: so it is what `flask cors explain` says of an API that sends CORS headers. In its examples, the policy in
line 7 of `lab.py` lets pages of {page} call {lab} with cookies, with the header
Content-Type, and with the methods of the routes: GET, POST and PUT.
"""
SEEN = """
## In the browser's console

The texts are Chromium's; Firefox gives its own, with the same reason.

| what you see | why | what to write |
|---|---|---|
"""


class Scripted:
    """Gives the answers of a situation, one after the other, and then none."""

    address = ""

    def __init__(self, *texts: str) -> None:
        """Read the answers, for example "200 | Origin: *"."""
        self.left = [self.read(text) for text in texts]

    @staticmethod
    def read(text: str) -> Response:
        """Return the response that a text describes."""
        status, *lines = text.split(" | ")
        headers = (line.split(": ", 1) for line in lines)
        return Response(int(status), tuple((ALLOW.get(name, name), value) for name, value in headers))

    def send_preflight(self, request: Any) -> Response:
        """Give the next answer."""
        if not self.left:
            raise describe_network_error(request.url, ConnectionRefusedError(), HINTS.start_command)
        return self.left.pop(0)

    def find_address(self, host: str) -> str | None:
        """Return where names lead: all outside of the visitor's network, as most do."""
        return "8.8.8.8"

    def send(self, request: Any) -> Answer:
        """Give the next answer."""
        response = self.send_preflight(request)
        return Answer(response, response.status)


def lab(**options: Any) -> Flask:
    """Return an application with one policy, which is the same under every strategy."""
    app = Flask("lab", root_path="no-source")
    app.config.update(FRONTEND_ORIGINS=PAGE, API_URL=API)
    app.add_url_rule("/api/lab", "lab.lab", str, methods=["GET", "POST", "PUT"])
    given = {**GIVEN, "origins": FromConfig("FRONTEND_ORIGINS"), "credentials": True}
    given |= {"request_headers": ["Content-Type"], **options}
    origins = (PAGE,) if isinstance(given["origins"], FromConfig) else tuple(given["origins"])
    policy = Policy(
        *("/api/lab", "lab", "lab.py:7", origins),
        tuple(given["methods"] or ("GET", "HEAD", "POST", "PUT")),
        *(tuple(given[name]) for name in ("request_headers", "expose_headers")),
        given["credentials"],
    )
    policies = app.extensions[KEY] = Policies(hints=HINTS)
    policies.declarations.append(Declaration("/api/lab", "lab", "lab.py:7", given))
    policies.use([policy])
    return app


def blocked() -> Any:
    """Yield the cells of each row about the browser."""
    app = lab()
    for seen, changes, *answers in BLOCKED:
        request = build_request(**{"method": "GET", "url": LAB, "origin": PAGE, "credentials": True, **changes})
        found = explain(request, Scripted(*answers), app)
        failed = next(step for step in reversed(found.steps) if not step.ok)
        reason = f" [{found.reason}]({MDN}{found.reason})" if found.reason else ""
        why = f"{request.method} {request.url} from {request.origin}: {failed.detail.splitlines()[0]}{reason}"
        yield seen, why, found.fix


def table(rows: Any) -> str:
    # outside of code, Markdown would take * and < for its own
    cells = [[cell if cell[0] == "`" else re.sub(r"([*<|])", r"\\\1", cell) for cell in row] for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def document() -> str:
    return HEAD.format(page=PAGE, lab=LAB) + SEEN + table(blocked())


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8", newline="\n")
