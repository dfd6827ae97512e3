"""The API behaves as its OpenAPI document says, tested with requests generated from that document."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from tests.baking import BakedProject
from tests.running import RunningProject, running

load_all_checks()
Case: TypeAlias = schemathesis.Case[Any]
RESPONSE_CHECKS: list[Any] = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
    )
]
OPERATIONS = [
    ("GET", "/api/demo/cors/assets/{name}"),
    ("GET", "/api/demo/cors/hello"),
    ("GET", "/api/demo/no-cors/assets/{name}"),
    ("GET", "/api/demo/no-cors/hello"),
    ("GET", "/api/public/hello"),
    ("POST", "/api/public/echo"),
    ("POST", "/api/public/feedback"),
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/logout"),
    ("GET", "/api/auth/me"),
    ("GET", "/api/notes"),
    ("POST", "/api/notes"),
    ("GET", "/api/notes/{note_id}"),
    ("PUT", "/api/notes/{note_id}"),
    ("PATCH", "/api/notes/{note_id}"),
    ("DELETE", "/api/notes/{note_id}"),
]
WITHOUT_WRONG_INPUT = [
    ("GET", "/api/demo/cors/assets/{name}"),
    ("GET", "/api/demo/cors/hello"),
    ("GET", "/api/demo/no-cors/assets/{name}"),
    ("GET", "/api/demo/no-cors/hello"),
    ("GET", "/api/public/hello"),
    ("POST", "/api/auth/logout"),
    ("GET", "/api/auth/me"),
]


@pytest.fixture(scope="module")
def running_project(get_installed: Callable[[str], BakedProject]) -> Iterator[RunningProject]:
    unlimited = {"LOGIN_LIMIT": "100000 per minute", "LOGIN_ACCOUNT_LIMIT": "100000 per minute"}
    with running(get_installed("without-front-end"), unlimited) as project:
        project.wait_until_ready()
        yield project


@pytest.fixture(scope="module")
def schema(running_project: RunningProject) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{running_project.api}/api/openapi.json")


def test_the_openapi_document_has_exactly_the_operations(schema: schemathesis.BaseSchema) -> None:
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    described = [(operation.method.upper(), operation.path) for operation in found]
    assert sorted(described) == sorted(OPERATIONS)


def build_requests() -> list[Any]:
    """Return each operation with valid and with invalid input, if invalid input exists."""
    return [
        pytest.param(method, path, mode, id=f"{mode.value} {method} {path}")
        for method, path in OPERATIONS
        for mode in GenerationMode
        if mode == GenerationMode.POSITIVE or (method, path) not in WITHOUT_WRONG_INPUT
    ]


@pytest.mark.parametrize(("method", "path", "mode"), build_requests())
@pytest.mark.parametrize("who", ["signed in", "signed out"])
def test_every_response_is_as_documented(
    schema: schemathesis.BaseSchema,
    running_project: RunningProject,
    who: str,
    method: str,
    path: str,
    mode: GenerationMode,
) -> None:
    session = sign_in(running_project) if who == "signed in" else requests.Session()

    def check(case: Case) -> None:
        case.call_and_validate(session=session, checks=RESPONSE_CHECKS, timeout=30)

    check_each(schema[path][method].as_strategy(generation_mode=mode), check)


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("PUT", 200), ("PATCH", 200), ("DELETE", 204)])
def test_every_response_about_an_own_note_is_as_documented(
    schema: schemathesis.BaseSchema, running_project: RunningProject, method: str, status: int
) -> None:
    session = sign_in(running_project)
    statuses = set()

    def check(case: Case) -> None:
        made = session.post(f"{running_project.api}/api/notes", json={"title": "to be changed"}, timeout=30)
        case.path_parameters["note_id"] = made.json()["id"]
        case.headers["If-Match"] = made.headers["ETag"]
        statuses.add(case.call_and_validate(session=session, checks=RESPONSE_CHECKS, timeout=30).status_code)

    check_each(schema["/api/notes/{note_id}"][method].as_strategy(), check)
    assert status in statuses


def check_each(cases: SearchStrategy[Case], check: Callable[[Case], None]) -> None:
    """Check a few requests. They are the same in each run, so a failure is reproducible."""

    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(cases)
    def each(case: Case) -> None:
        check(case)

    each()


def sign_in(running_project: RunningProject) -> requests.Session:
    session = requests.Session()
    login = {"username": "demo", "password": "demo-password"}
    assert session.post(f"{running_project.api}/api/auth/login", json=login, timeout=30).status_code == 200
    return session
