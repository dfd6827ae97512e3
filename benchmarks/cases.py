"""The requests to every target, and the values that must be the same in every response."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ORIGIN = "https://app.example.com"
PASSWORD = "a-password-of-nobody"
USERS = {"reader": 300, "writer": 0, "visitor": 0}  # user names and numbers of notes
READ = {"Origin": ORIGIN, "Accept": "application/json"}
WRITE = READ | {"Content-Type": "application/json"}
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "content-type,if-match",
}


@dataclass(frozen=True)
class Case:
    """A request, with an optional signed-in user."""

    name: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, str] | None = None
    user: str | None = None

    def as_json(self, cookie: str = "") -> dict[str, Any]:
        """Return the request as JSON data."""
        headers = self.headers | ({"Cookie": cookie} if cookie else {})
        body = json.dumps(self.body) if self.body else ""
        return {"method": self.method, "path": self.path, "headers": headers, "body": body}


def sign_in(user: str) -> Case:
    return Case("login", "POST", "/api/auth/login", WRITE, {"username": user, "password": PASSWORD})


CASES = {
    case.name: case
    for case in (
        Case("preflight", "OPTIONS", "/api/notes/1", PREFLIGHT),
        Case("list of 20", "GET", "/api/notes?page=1&page_size=20", READ, user="reader"),
        Case("one by id", "GET", "/api/notes/7", READ, user="reader"),
        Case("create", "POST", "/api/notes", WRITE, {"title": "A title", "body": "A body. " * 20}, user="writer"),
        sign_in("visitor"),
    )
}


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: list[tuple[str, str]]
    body: str

    def get(self, name: str) -> str:
        """Return the value of a header, or an empty string."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def cookie(self) -> str:
        """The cookie that it sets, as a client sends it."""
        return self.get("Set-Cookie").partition(";")[0]


def check_same_answer(case: Case, answers: dict[str, Answer]) -> None:
    """Assert that all responses have the same facts as the first one."""
    (_, reference), *rest = answers.items()
    for name, answer in rest:
        expected, actual = get_facts(case, reference), get_facts(case, answer)
        assert expected == actual, f"{case.name}: {name} answers\n{actual}\ninstead of\n{expected}"


def get_facts(case: Case, answer: Answer) -> dict[str, Any]:
    """Return the values that must be the same for all targets."""
    found: dict[str, Any] = {
        "origin": answer.get("Access-Control-Allow-Origin"),
        "credentials": answer.get("Access-Control-Allow-Credentials"),
    }
    if case.name == "preflight":  # 204 and 200 are both correct
        lists = answer.get("Access-Control-Allow-Headers").lower(), answer.get("Access-Control-Allow-Methods")
        allows = "if-match" in lists[0] and "PUT" in lists[1]
        return found | {"ok": answer.status in (200, 204), "age": answer.get("Access-Control-Max-Age"), "all": allows}
    found |= {"status": answer.status, "body": normalize_body(json.loads(answer.body))}
    if case.name == "list of 20":
        pagination = json.loads(answer.get("X-Pagination"))
        found |= {name: pagination[name] for name in ("total", "total_pages", "page", "next_page")}
    return found | {"etag": bool(answer.get("ETag"))} if case.name in ("one by id", "create") else found


def normalize_body(body: Any) -> Any:
    """Return a body with normalized times. New notes have no id and no times."""
    if isinstance(body, list):
        return [normalize_body(item) for item in body]
    if "created_at" in body:
        new = body["title"] == "A title"
        times = {name: datetime.fromisoformat(body[name]).isoformat() for name in ("created_at", "updated_at")}
        return body | ({"id": 0, "created_at": "", "updated_at": ""} if new else times)
    return body
