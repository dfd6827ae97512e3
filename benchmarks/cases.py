"""The requests that every target gets, and what has to be the same in every answer."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

ORIGIN = "https://app.example.com"
PASSWORD = "a-password-of-nobody"
NOTES = 300  # of the user who reads
USERS = {"reader": NOTES, "writer": 0, "visitor": 0}
READ = {"Origin": ORIGIN, "Accept": "application/json"}
WRITE = READ | {"Content-Type": "application/json"}
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "content-type,if-match",
}


@dataclass(frozen=True)
class Case:
    """A request.

    Args:
        name: what the tables call it.
        user: who is signed in, if anybody.
        tagged: whether the request names the version that it has (If-None-Match).
    """

    name: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, str] | None = None
    user: str | None = None
    tagged: bool = False

    def as_json(self, cookie: str, etag: str, *, cors: bool) -> dict[str, Any]:
        """Return what a program needs to send it; behind a proxy, the browser says that page and API are one."""
        known = ({"Cookie": cookie} if self.user else {}) | ({"If-None-Match": etag} if self.tagged else {})
        known |= {} if cors else {"Sec-Fetch-Site": "same-origin"}
        body = json.dumps(self.body) if self.body else ""
        return asdict(self) | {"headers": self.headers | known, "body": body}


CASES = {
    case.name: case
    for case in (
        Case("preflight", "OPTIONS", "/api/notes/1", PREFLIGHT),
        Case("list of 20", "GET", "/api/notes?page=1&page_size=20", READ, user="reader"),
        Case("one by id", "GET", "/api/notes/7", READ, user="reader"),
        Case("unchanged (304)", "GET", "/api/notes/7", READ, user="reader", tagged=True),
        Case("create", "POST", "/api/notes", WRITE, {"title": "A title", "body": "A body. " * 20}, user="writer"),
        Case("health", "GET", "/health/live", {"Accept": "application/json"}),
        Case("login", "POST", "/api/auth/login", WRITE, {"username": "visitor", "password": PASSWORD}),
    )
}


def sign_in(user: str) -> Case:
    """Return the request that signs somebody in."""
    return Case("sign in", "POST", "/api/auth/login", WRITE, {"username": user, "password": PASSWORD})


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: str

    def get(self, name: str) -> str:
        """Return a header, empty without any."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def cookie(self) -> str:
        """The cookie that it sets, as a client sends it back."""
        return self.get("Set-Cookie").partition(";")[0]


def facts(case: Case, answer: Answer, *, cors: bool) -> dict[str, Any]:
    """Return what must not differ between two targets.

    Args:
        case: what was asked.
        answer: what came back.
        cors: whether the target sends CORS headers at all.
    """
    found: dict[str, Any]
    if case.name == "preflight":  # 204, or 200 and a text that nobody reads: both are right
        found = {"success": answer.status in (200, 204), **_listed(answer, "Methods"), **_listed(answer, "Headers")}
        found |= {"max-age": answer.get("Access-Control-Max-Age")}
    else:
        found = {"status": answer.status, "body": answer.body and comparable(json.loads(answer.body))}
    if case.name == "list of 20":
        place = json.loads(answer.get("X-Pagination"))
        found |= {name: place[name] for name in ("total", "total_pages", "page", "next_page")}
    if case.name in ("one by id", "unchanged (304)", "create"):
        found |= {"etag": bool(answer.get("ETag"))}
    if cors and case.name != "health":
        found |= {"origin": answer.get("Access-Control-Allow-Origin")}
        found |= {"credentials": answer.get("Access-Control-Allow-Credentials")}
    return found


def _listed(answer: Answer, what: str) -> dict[str, list[str]]:
    """Return a list of a preflight's answer; Starlette adds the safelisted headers, which are always allowed."""
    safelisted = {"accept", "accept-language", "content-language", "content-type"}
    names = {name.strip().lower() for name in answer.get(f"Access-Control-Allow-{what}").split(",")}
    return {what: sorted(names - safelisted - {"options"})}


def comparable(body: Any) -> Any:
    """Return a body with its times in one form, without those of today and without new numbers."""
    if isinstance(body, list):
        return [comparable(item) for item in body]
    if isinstance(body, dict) and "created_at" in body:
        new = body["title"] == "A title"
        times = {name: datetime.fromisoformat(body[name]).isoformat() for name in ("created_at", "updated_at")}
        return body | ({"id": 0, "created_at": "", "updated_at": ""} if new else times)
    return body
