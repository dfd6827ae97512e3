"""`flask cors explain` sends the same requests as Chromium: headers, no-cors mode and uploads with a listener."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.baking import require
from tests.browser.browsers import launch_options
from tests.browser.requests_of_a_page import FETCH
from tests.browser.scripted_server import ScriptedServer, reply, serving
from tests.browser.world import NOTHING, certificate_for

from tests.crossorigin import conftest  # noqa: F401  # isort: skip (it makes `crossorigin` importable)

from crossorigin.doctor.trace import Explanation, build_request, explain
from crossorigin.doctor.transport import HttpTransport

# the pages by their relation to the API, which has https if the name says so
PAGES = {"same origin": "http://localhost", "same site": "http://localhost", "cross-site": "http://127.0.0.1"}
PAGES |= {"https, same site": "https://localhost", "to https": "http://localhost"}
OWN = ("accept", "referer", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "origin")
POLICIES = ["", "same-origin", "same-site", "cross-origin", "Same-Origin", "nonsense"]
FRAMES = {
    "": "no header",
    "X-Frame-Options: DENY": "DENY",
    "X-Frame-Options: SAMEORIGIN": "SAMEORIGIN",
    "X-Frame-Options: ALLOWALL": "ignored",
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'": "none",
    "Content-Security-Policy: frame-ancestors 'self'": "self",
    "Content-Security-Policy: frame-ancestors http://localhost:* | X-Frame-Options: DENY": "a host and any port",
    "Content-Security-Policy: frame-ancestors http://localhost": "a host and no port",
    "Content-Security-Policy: frame-ancestors http:": "a scheme",
    "Content-Security-Policy: frame-ancestors *": "every origin",
}
FRAMED = """(url) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.onload = () => done(frame.name);
  frame.src = url;
  document.body.append(frame);
})"""
TYPES = ["text/javascript", "application/json", "text/html; charset=utf-8", "text/plain"]
TYPES += ["application/problem+json", "application/xml"]
SCRIPT = """(url) => new Promise((done) => {
  const script = document.createElement("script");
  script.onload = () => done(true);
  script.onerror = () => done(false);
  script.src = url;
  document.body.append(script);
})"""
UPLOAD = """([url, listens]) => new Promise((done) => {
  const request = new XMLHttpRequest();
  if (listens) request.upload.onprogress = () => {};
  request.onloadend = () => done(request.status);
  request.open("POST", url);
  request.setRequestHeader("Content-Type", "text/plain");
  request.send("a");
})"""


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, ScriptedServer]]:
    """Return a page server and an API server, each with http and https."""
    tls: ssl.SSLContext = certificate_for("localhost")
    with ExitStack() as stack:
        names = {"page": None, "api": None, "https page": tls, "https api": tls}
        yield {name: stack.enter_context(serving(tls=context)) for name, context in names.items()}


class Stage:
    """A tab with a page, and an API server."""

    def __init__(self, page: Page, servers: dict[str, ScriptedServer], kind: str) -> None:
        """Open the page."""
        place = servers["https page" if kind.startswith("https") else "api" if kind == "same origin" else "page"]
        self.page, self.api = page, servers["https api" if "https" in kind else "api"]
        self.origin = f"{PAGES[kind]}:{place.server_address[1]}"
        place.replies["/"] = (NOTHING, reply(200, "Content-Type: text/html"))
        page.goto(f"{self.origin}/")

    def explain(self, path: str, method: str = "GET", **more: Any) -> Explanation:
        """Explain the request of the browser by sending it to the API."""
        asked = build_request(method, self.api.url + path, self.origin, **more)
        return explain(asked, HttpTransport(send_unsafe=True), None)


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Launch Chromium, independent of the option --browser."""
    options = launch_options(playwright, "chromium")
    require(options is not None, "chromium is not installed: uv run playwright install chromium")
    with playwright.chromium.launch(**(options or {})) as browser:
        yield browser


@pytest.fixture(scope="module", params=PAGES)
def stage(chromium: Browser, servers: dict[str, ScriptedServer], request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Return a tab for each kind of page."""
    context = chromium.new_context(ignore_https_errors=True)
    yield Stage(context.new_page(), servers, request.param)
    context.close()


@pytest.fixture(autouse=True)
def _accept_any_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "create_default_context", ssl._create_unverified_context)


@pytest.mark.parametrize(("mode", "method"), [("cors", "PUT"), *product(["cors", "no-cors"], ["GET", "POST"])])
def test_the_headers_are_those_of_chromium(stage: Stage, mode: str, method: str) -> None:
    path = f"/{mode}-{method}"
    stage.api.replies[path] = (
        reply(204, f"Origin: {stage.origin} | Methods: PUT"),
        reply(200, f"Origin: {stage.origin}"),
    )
    stage.api.requests.pop(path, None)
    stage.page.evaluate(FETCH, [stage.api.url + path, {"method": method, "mode": mode}])
    count = len(stage.api.requests[path])
    assert stage.explain(path, method, mode=mode).allowed
    asked = [(one.method, [one.headers.get(name) for name in OWN]) for one in stage.api.requests[path]]
    assert asked[:count] == asked[count:]
    assert count == 1 + (method == "PUT" and stage.api.url != stage.origin)


@pytest.mark.parametrize("value", POLICIES)
def test_a_no_cors_request_ends_as_in_chromium(stage: Stage, value: str) -> None:
    path = f"/resource-{value or 'none'}"
    stage.api.replies[path] = (NOTHING, reply(200, f"Cross-Origin-Resource-Policy: {value}" if value else ""))
    got = stage.page.evaluate(FETCH, [stage.api.url + path, {"mode": "no-cors"}])
    found = stage.explain(path, mode="no-cors")
    assert found.allowed == ("refused" not in got), found.steps[-1]
    assert found.preflighted is False


@pytest.mark.parametrize("headers", FRAMES, ids=FRAMES.get)
def test_a_frame_is_shown_or_blocked_as_in_chromium(stage: Stage, headers: str) -> None:
    path = f"/frame-{list(FRAMES).index(headers)}"
    stage.api.replies[path] = (NOTHING, reply(200, f"Content-Type: text/html | {headers}".removesuffix(" | ")))
    stage.page.evaluate(FRAMED, stage.api.url + path)
    shown = stage.page.frames[-1].url == stage.api.url + path
    steps = {step.step: step for step in stage.explain(path, mode="no-cors").steps}
    if stage.api.url != stage.origin:
        assert steps["An <iframe> shows the response"].ok == shown, steps


@pytest.mark.parametrize("nosniff", ["", " | X-Content-Type-Options: nosniff"])
@pytest.mark.parametrize("kind", TYPES)
def test_a_script_is_used_or_blocked_as_in_chromium(stage: Stage, kind: str, nosniff: str) -> None:
    path = f"/script-{TYPES.index(kind)}{len(nosniff)}"
    stage.api.replies[path] = (NOTHING, reply(200, f"Content-Type: {kind}{nosniff}"))
    ran = stage.page.evaluate(SCRIPT, stage.api.url + path)
    steps = {step.step: step for step in stage.explain(path, mode="no-cors").steps}
    if stage.api.url != stage.origin:
        assert steps["<script> and <img> can use the response"].ok == ran, steps


@pytest.mark.parametrize("listens", [False, True])
def test_a_listener_for_the_progress_of_an_upload_needs_a_preflight(stage: Stage, listens: bool) -> None:
    path = f"/upload-{listens}"
    stage.api.replies[path] = (reply(204, f"Origin: {stage.origin}"), reply(200, f"Origin: {stage.origin}"))
    stage.api.requests.pop(path, None)
    assert stage.page.evaluate(UPLOAD, [stage.api.url + path, listens]) == 200
    preflighted = [one.method for one in stage.api.requests[path]] == ["OPTIONS", "POST"]
    headers = [("Content-Type", "text/plain")]
    found = stage.explain(path, "POST", headers=headers, upload_progress=listens)
    assert (found.allowed, found.preflighted) == (True, preflighted)
    assert preflighted == (listens and stage.api.url != stage.origin)
