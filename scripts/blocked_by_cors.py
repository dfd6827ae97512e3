"""Write docs/blocked-by-cors.md of the template from the messages of the code.

Run `uv run python -m scripts.blocked_by_cors` after a change of a message. A test compares the document and the code.
"""

import re
import socket
from typing import Any

from tests.crossorigin.conftest import FOLDER  # isort: skip (it makes `crossorigin` importable)

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
PREFLIGHT = "Response to preflight request doesn't pass access control check:"
INCLUDE = "when the request's credentials mode is 'include'."
METHOD = "is not allowed by Access-Control-Allow-Methods in preflight response."
FIELD = "is not allowed by Access-Control-Allow-Headers in preflight response."
NOTHING = "nothing; but the request after the sign-in gets 401"
NOT_ASKED = "Permission was denied for this request to access the … address space."
OPEN = {"policy": {"origins": ["*"], "credentials": False}}
ANOTHER = {"url": "https://api.example.org/weather", "credentials": False}
# messages of Chromium, the most frequent ones first, then the changes to the request and the policy, and the
# responses, starting with that of a preflight
BLOCKED: list[tuple[str, dict[str, Any], *tuple[str | Exception, ...]]] = [
    (NO_HEADER, {"origin": "http://localhost:5174"}, "200"),
    (f"{PREFLIGHT} {NO_HEADER}", {"method": "PUT", "origin": NUMBER}, "403"),
    ("net::ERR_CONNECTION_REFUSED", {}),
    (f"Request header field x-lab {FIELD}", {"headers": [("X-Lab", "1")]}, LISTS),
    (f"Method DELETE {METHOD}", {"method": "DELETE"}, LISTS),
    (f"… must not be the wildcard '*' {INCLUDE}", OPEN, "200 | Origin: *"),
    (f"… is '' which must be 'true' {INCLUDE}", {"policy": {"credentials": False}}, f"200 | Origin: {PAGE}"),
    (NOTHING, {"origin": NUMBER}, FINE.replace(PAGE, NUMBER)),
    ("… has a value '…' that is not equal to the supplied origin.", ANOTHER, f"200 | Origin: {HTTPS}"),
    ("… contains multiple values '…', but only one is allowed.", {}, f"200 | Origin: {PAGE} | Origin: {PAGE}"),
    (
        f"{PREFLIGHT} Redirect is not allowed for a preflight request.",
        {"method": "PUT"},
        "301 | Location: https://localhost/api/lab",
    ),
    (f"{PREFLIGHT} It does not have HTTP ok status.", {"method": "PUT"}, FINE.replace("200", "405")),
    ("Mixed Content: …", {"origin": HTTPS, "url": "http://api.example.com/api/lab"}),
    (NOT_ASKED, {"origin": HTTP}),
    ("net::ERR_NAME_NOT_RESOLVED", {"url": "http://api:8000/api/lab"}, socket.gaierror()),
    ("… String contains non ISO-8859-1 code point.", {"headers": [("X-Lab", "\u5b9e")]}),
    ("'TRACE' HTTP method is unsupported.", {"method": "TRACE"}),
    ("net::ERR_TOO_MANY_REDIRECTS", {}, *[f"{GO} | Location: /api/lab"] * 21),
    ("Cannot parse Access-Control-Allow-Methods …", {"method": "PUT"}, f"{FINE} | Methods: [PUT]"),
    ("Cannot parse Access-Control-Allow-Headers …", {"method": "PUT"}, f"{FINE} | Headers: [X-Lab]"),
    (
        "Cross origin requests are only supported for protocol schemes: …",
        {},
        f"{GO} | Location: ftp://api.example.com",
    ),
]

HINTS = Hints(  # as in a generated project
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

What the console of Chromium says, why, and what to write. Firefox has other texts for the same reasons. Each row is one
situation, and a message can have other causes: `uv run flask cors explain` names yours. This page is made by it. In its
examples, the policy in line 7 of `lab.py` lets pages of {page} call {lab} with cookies, with the
header Content-Type, and with the methods of the routes: GET, POST and PUT.

| what you see | why | what to write |
|---|---|---|
"""


class Scripted:
    """A transport that returns the scripted responses of a situation in order."""

    address = ""

    def __init__(self, *answers: str | Exception) -> None:
        """Parse the responses, for example "200 | Origin: *"."""
        self.left = [self.read(answer) if isinstance(answer, str) else answer for answer in answers]

    @staticmethod
    def read(text: str) -> Response:
        """Return the response that a text describes."""
        status, *lines = text.split(" | ")
        headers = (line.split(": ", 1) for line in lines)
        return Response(int(status), tuple((ALLOW.get(name, name), value) for name, value in headers))

    def send_preflight(self, request: Any) -> Response:
        """Return the next response."""
        answer = self.left.pop(0) if self.left else ConnectionRefusedError()
        if isinstance(answer, Exception):
            raise describe_network_error(request.url, answer, HINTS.start_command)
        return answer

    def find_address(self, host: str) -> str | None:
        """Return a public address for every name."""
        return "8.8.8.8"

    def send(self, request: Any) -> Answer:
        """Return the next response."""
        response = self.send_preflight(request)
        return Answer(response, response.status)


def lab(**options: Any) -> Flask:
    """Return an application with one policy, independent of the strategy."""
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


def build_rows() -> Any:
    """Yield the cells of each row."""
    for seen, changes, *answers in BLOCKED:
        asks = {"method": "GET", "url": LAB, "origin": PAGE, "credentials": True, **changes}
        app = lab(**asks.pop("policy", {}))
        request = build_request(**asks)
        found = explain(request, Scripted(*answers), app)
        failed = next(step for step in reversed(found.steps) if not step.ok)
        reason = f" [{found.reason}]({MDN}{found.reason})" if found.reason else ""
        why = f"{request.method} {request.url} from {request.origin}: {failed.detail.splitlines()[0]}{reason}"
        yield seen, why, found.fix


def format_table(rows: Any) -> str:
    # outside code, Markdown interprets * and <
    cells = [[cell if cell[0] == "`" else re.sub(r"([*<|])", r"\\\1", cell) for cell in row] for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def document() -> str:
    return HEAD.format(page=PAGE, lab=LAB) + format_table(build_rows())


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8", newline="\n")
