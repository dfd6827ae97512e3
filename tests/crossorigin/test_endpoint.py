"""The endpoint of development knows which preflights the API has just refused."""

from typing import Any

import pytest
from crossorigin import Hints
from crossorigin.declare import get_policies
from crossorigin.doctor import endpoint
from crossorigin.doctor.endpoint import explain_endpoint
from flask import Flask

from tests.crossorigin.cases import APP, PAGE, lab, start

DEVELOPMENT = Hints(production=False)
ADDED = {"Access-Control-Request-Headers": "baggage, Content-Type, sentry-trace"}


def make_app(hints: Hints = DEVELOPMENT) -> Flask:
    blueprint = lab(request_headers=["Content-Type"])
    blueprint.add_url_rule("/größe", "view", str, methods=["GET", "PUT"])
    return start(blueprint, explain_endpoint, hints=hints)


def send_preflight(app: Flask, path: str = "/lab/größe", method: str = "PUT", **headers: str) -> None:
    given = {"Origin": PAGE, "Access-Control-Request-Method": method, **headers}
    app.test_client().options(path, headers=given)


def ask(app: Flask, **changes: Any) -> dict[str, Any]:
    question = {"method": "put", "url": "http://localhost/lab/größe", "origin": PAGE, **changes}
    question["headers"] = {"Content-Type": "application/json"}
    found: dict[str, Any] = app.test_client().post("/api/dev/explain", json=question).json or {}
    return found


def test_headers_of_a_refused_preflight_that_the_page_does_not_know_are_listed() -> None:
    app = make_app()
    assert ask(app)["allowed"]
    send_preflight(app, **ADDED)
    found = ask(app)
    assert (found["allowed"], found["reason"]) == (False, "CORSMissingAllowHeaderFromPreflight")
    assert "baggage, sentry-trace" in found["steps"][0]["detail"]
    [edit] = found["edits"]
    assert edit["set"] == 'request_headers=["Content-Type", "baggage", "sentry-trace"]'
    assert ask(app)["edits"] == [edit]  # preflights of a dry run are not recorded


OTHERS = {  # requests other than that of the refused preflight
    "another path": {"url": "http://localhost/lab/other"},
    "another origin": {"origin": APP},
    "another method": {"method": "GET"},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_a_refused_preflight_does_not_explain_other_requests(changes: Any) -> None:
    app = make_app()
    send_preflight(app, **ADDED)
    assert ask(app, **changes)["allowed"]


def test_a_refused_preflight_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app()
    send_preflight(app, **ADDED)
    monkeypatch.setattr(endpoint, "MAX_AGE", 0)
    assert ask(app)["allowed"]


def test_the_last_50_refused_preflights_are_kept_in_development_only() -> None:
    app, production = make_app(), start(lab())
    for n in range(100):
        send_preflight(app, f"/lab/{n}", **ADDED)
        send_preflight(production, f"/lab/{n}", **ADDED)
    send_preflight(app)
    refused = get_policies(app).refused
    assert (len(refused), refused[0].path) == (50, "/lab/99")
    assert not get_policies(production).refused
