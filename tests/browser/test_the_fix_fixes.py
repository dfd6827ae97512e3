"""In each situation, `flask cors explain` matches Chromium, and its edits fix the request.

If no edit of the project helps, there are no edits, and the text says why. Only Chromium is used, because it reports
its reason.
"""

import itertools
import json
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme
from playwright.sync_api import Browser, Playwright

from scripts.blocked_situations import LOCAL_NETWORK, MESSAGES
from tests.baking import BakedProject, environment, require
from tests.browser.blocked import APPS, FRONTS, NULL, OTHERS, ROWS, Row
from tests.browser.browsers import launch_options
from tests.browser.edits import State, apply, set_variable
from tests.browser.scripted_server import ScriptedServer, reply, serving
from tests.running import preferred_port

SERVER = Path(__file__).with_name("blocked_server.py")
FETCH = """async ([url, options]) => {
  try {
    const { status } = await fetch(url, { ...options, signal: AbortSignal.timeout(10_000) });
    return { status };
  } catch ({ message }) {
    return { message };
  }
}"""
ENDPOINTS = ("ours", "project")  # the applications with the development endpoint
HTML = "Content-Type: text/html"
PAGE_PORTS = (80, 3000, 5173, 5174)
# the reason in Chromium, and in MDN
UNKNOWN = "CORSDidNotSucceed"
REASONS = {
    "WildcardOriginNotAllowed": "CORSNotSupportingCredentials",
    "MissingAllowOriginHeader": "CORSMissingAllowOrigin",
    "MultipleAllowOriginValues": "CORSMultipleAllowOriginNotAllowed",
    "InvalidAllowOriginValue": "CORSAllowOriginNotMatchingOrigin",
    "AllowOriginMismatch": "CORSAllowOriginNotMatchingOrigin",
    "InvalidAllowCredentials": "CORSMissingAllowCredentials",
    "CorsDisabledScheme": "CORSRequestNotHttp",
    "RedirectContainsCredentials": "CORSDidNotSucceed",
    "PreflightInvalidStatus": "CORSPreflightDidNotSucceed",
    "PreflightDisallowedRedirect": "CORSPreflightDidNotSucceed",
    "PreflightWildcardOriginNotAllowed": "CORSNotSupportingCredentials",
    "PreflightMissingAllowOriginHeader": "CORSMissingAllowOrigin",
    "PreflightMultipleAllowOriginValues": "CORSMultipleAllowOriginNotAllowed",
    "PreflightAllowOriginMismatch": "CORSAllowOriginNotMatchingOrigin",
    "PreflightInvalidAllowCredentials": "CORSMissingAllowCredentials",
    "InvalidAllowMethodsPreflightResponse": "CORSInvalidAllowMethod",
    "InvalidAllowHeadersPreflightResponse": "CORSInvalidAllowHeader",
    "MethodDisallowedByPreflightResponse": "CORSMethodNotFound",
    "HeaderDisallowedByPreflightResponse": "CORSMissingAllowHeaderFromPreflight",
}
# Chromium has one reason for redirects of a preflight, MDN has another one for those to another origin
REDIRECTED = ("CORSExternalRedirectNotAllowed", "CORSPreflightDidNotSucceed")
# known problems by the name of a row. The test asserts that they still exist
WRONG: dict[str, str] = {
    "production, development's page": "it offers FRONTEND_ORIGINS with http://localhost, which production refuses",
    "a header is removed": "an API that was not restarted after a change looks the same",
    "credentials are removed": "an API that was not restarted after a change looks the same",
}


class World:
    """The process that loads, serves and explains applications, and a Chromium with pages of any origin."""

    def __init__(
        self, project: BakedProject, folder: Path, browser: Browser, ports: dict[str, int], names: Any
    ) -> None:
        """Start the process."""
        self.tabs: dict[str, Tab] = {}
        self.tested: set[str] = set()  # the situations that were tested
        self.messages: list[str] = []  # console messages and exceptions of Chromium
        self.project, self.folder, self.browser, self.ports = project, folder, browser, ports
        authority = trustme.CA()
        certificate = folder / "certificate.pem"
        authority.issue_cert("localhost", "api.example.com").private_key_and_cert_chain_pem.write_to_path(certificate)
        authority.cert_pem.write_to_path(folder / "authority.pem")
        config = {"ports": ports, "package": project.package, "certificate": str(certificate), "names": names}
        self.errors = (folder / "log").open("w")
        self.process = subprocess.Popen(
            [project.python, str(SERVER), json.dumps(config)],
            cwd=folder,
            env=environment({"SSL_CERT_FILE": str(folder / "authority.pem"), "FLASK_RUN_PORT": str(ports["app"])}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def stop(self) -> None:
        """Stop the process."""
        self.process.kill()
        self.process.communicate()
        self.errors.close()

    def run(self, name: str, *arguments: Any) -> Any:
        """Run a command of the process."""
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps([name, arguments]), file=self.process.stdin, flush=True)
        found = json.loads(self.process.stdout.readline() or '{"raised": "the process has ended"}')
        assert "raised" not in found, f"{found['raised']}\n{(self.folder / 'log').read_text()[-3000:]}"
        return found["answer"]

    def resolve(self, text: str) -> str:
        """Replace the placeholders of a text with the URLs of this run."""
        app, tls, other = (self.ports[name] for name in ("app", "app-tls", "other"))
        text = text.replace("<api>", f"http://localhost:{app}").replace("<not-https>", f"https://localhost:{app}")
        text = text.replace("<dead>", f"http://localhost:{self.ports['dead']}")
        return text.replace("<https>", f"https://localhost:{tls}").replace("<other>", f"http://localhost:{other}")

    def write(self, row: Row) -> Path:
        """Write the sources and the settings of a situation into a folder."""
        folder = self.folder / f"situation-{ROWS.index(row)}"
        if row.app == "project":
            shutil.copytree(self.project.path / self.project.package, folder / self.project.package)
            for name in (".env.example", ".flaskenv"):
                shutil.copy(self.project.path / name, folder)
            dotenv = folder / ".env"
            shutil.copy(folder / ".env.example", dotenv)
            for line in ("SECRET_KEY=only-for-tests", "API_URL=<api>", *row.dotenv.splitlines()):
                set_variable(dotenv, self.resolve(line))
            return folder
        folder.mkdir()
        hints = f'api_url="{self.resolve("<api>")}", settings_file=".env"'
        source = APPS[row.app].replace("OPTIONS", row.options).replace("HINTS", hints)
        (folder / "app.py").write_text(self.resolve(source), "utf-8")
        (folder / ".env").write_text("", "utf-8")
        return folder

    def make(self, row: Row, folder: Path, state: State) -> dict[str, Any]:
        """Load the application again."""
        rules = json.loads(self.resolve(json.dumps([FRONTS.get(row.front, []), OTHERS.get(row.other, [])])))
        made: dict[str, Any] = self.run("make", str(folder), state.environment, *rules, row.debug)
        return made

    def explain(self, state: State, target: str) -> dict[str, Any]:
        """Run `flask cors explain`."""
        headers = [part for pair in state.headers.items() for part in ("-H", ": ".join(pair))]
        live = ["--send"] * target.startswith("http")
        arguments = [state.method, target, *live, "--origin", state.origin, *headers, "--json"]
        found: dict[str, Any] = self.run("explain", [*arguments, *["--credentials"] * state.credentials])
        return found

    def ask_endpoint(self, state: State) -> dict[str, Any]:
        """Send a request to the development endpoint, as a page does."""
        names = ("method", "url", "origin", "headers", "credentials")
        body = {name: value for name, value in state._asdict().items() if name in names}
        found: dict[str, Any] = self.run("ask_endpoint", body, self.resolve("<api>"))
        return found

    def send_request(self, state: State, cookie: dict[str, Any] | None) -> dict[str, Any]:
        """Send the request from a page. Return the outcome with the names that explain uses."""
        tab = self.tabs.get(state.origin) or Tab(self.browser, state.origin, self.messages)
        self.tabs[state.origin] = tab
        self.run("get_log")
        found = tab.send_request(state, cookie)
        log = self.run("get_log")
        sent = [entry["cookie"] != "" for entry in log if not entry["preflight"]][:1]
        preflighted = any(entry["preflight"] for entry in log)
        return {**found, "preflighted": preflighted, "cookies_sent": (sent or [None])[0]}


class Tab:
    """A page of an origin. Its requests have unique URLs, so no cached preflight is used."""

    numbers = itertools.count()

    def __init__(self, browser: Browser, origin: str, messages: list[str]) -> None:
        """Open the page and listen to the DevTools events of failed requests."""
        self.context = browser.new_context(ignore_https_errors=True)
        self.page = self.context.new_page()
        self.page.goto("http://pages.example/null" if origin == NULL else origin)
        self.messages = messages
        self.page.on("console", lambda message: messages.append(message.text))
        self.addresses: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        session = self.context.new_cdp_session(self.page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self.note_request)
        session.on("Network.loadingFailed", self.note_failure)

    def send_request(self, state: State, cookie: dict[str, Any] | None) -> dict[str, Any]:
        """Send a request."""
        self.context.clear_cookies()
        if cookie:
            self.context.add_cookies([build_cookie(cookie, state.url)])  # type: ignore[list-item]
        mark = f"number={next(self.numbers)}"
        url = f"{state.url}{'&' if '?' in state.url else '?'}{mark}"
        credentials = "include" if state.credentials else "same-origin"
        options = {"method": state.method, "headers": state.headers, "credentials": credentials}
        got = self.page.evaluate(FETCH, [url, options])
        reason = None
        self.messages.append(got.get("message", ""))
        if "message" in got and not got["message"].startswith("Failed to execute"):  # it was sent or blocked
            for n in range(100):
                reason = next((self.reasons[address] for address in self.reasons if mark in address), None)
                if reason and (reason != UNKNOWN or n > 10):  # the event with a reason can come later
                    break
                self.page.wait_for_timeout(20)
        return {"allowed": "status" in got, "status": got.get("status"), "reason": reason}

    def note_request(self, event: dict[str, Any]) -> None:
        """Record the first URL of a request."""
        self.addresses.setdefault(event["requestId"], event["request"]["url"])

    def note_failure(self, event: dict[str, Any]) -> None:
        """Record the reason with its MDN name."""
        status, address = event.get("corsErrorStatus"), self.addresses.get(event["requestId"], "")
        if status or address not in self.reasons:
            self.reasons[address] = REASONS[status["corsError"]] if status else UNKNOWN


def build_cookie(cookie: dict[str, Any], url: str) -> dict[str, Any]:
    """Return the session cookie that a sign-in at this URL would set."""
    host = url.partition("://")[2].partition("/")[0]
    place = {"url": f"{'https' if cookie['secure'] else 'http'}://{host}"}
    return {"name": cookie["name"], "value": "x", "sameSite": cookie["samesite"], "secure": cookie["secure"], **place}


@pytest.fixture(scope="module")
def world(playwright: Playwright, get_installed: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start the process and Chromium."""
    options = launch_options(playwright, "chromium")
    require(options is not None, "chromium is not installed: uv run playwright install chromium")
    ports = {name: preferred_port(0) for name in ("app", "app-tls", "other", "dead")}
    names = {"api.example.com:80": ports["app"], "api.example.com:443": ports["app-tls"]}
    names["login.example.net:80"] = ports["other"]
    with ExitStack() as stack:
        tls = certificate_for("localhost", "app.example.com")
        http, https = (stack.enter_context(serving(tls=context)) for context in (None, tls))
        for server in (http, https):
            server.replies["/"] = (reply(404, ""), reply(200, HTML))
            server.replies["/null"] = (
                reply(404, ""),
                reply(200, f"{HTML} | Content-Security-Policy: sandbox allow-scripts"),
            )
        rules = ["MAP *.invalid ~NOTFOUND"]
        rules += [f"MAP {name} 127.0.0.1:{port}" for name, port in names.items()]
        rules += [f"MAP *:{port} 127.0.0.1:{get_port(https)}" for port in (443, 8443)]
        rules += [f"MAP *:{port} 127.0.0.1:{get_port(http)}" for port in PAGE_PORTS]
        arguments = [f"--host-resolver-rules={','.join(rules)}"]
        browser = stack.enter_context(playwright.chromium.launch(**(options or {}), args=arguments))
        names["localhost:5173"] = get_port(http)
        world = World(get_installed("default"), tmp_path_factory.mktemp("situations"), browser, ports, names)
        stack.callback(world.stop)
        yield world


def get_port(server: ScriptedServer) -> int:
    """Return the port of a server."""
    return int(server.server_address[1])


def certificate_for(*hosts: str) -> Any:
    """Return a TLS context with an untrusted certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert(*hosts).configure_cert(context)
    return context


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_fix_fixes(row: Row, world: World) -> None:
    path = world.resolve(row.path)
    headers = dict(line.split(": ", 1) for line in row.headers)
    url = path if path.startswith("http") else world.resolve("<api>") + path
    pairs = dict(line.split("=", 1) for line in row.environment.splitlines())
    state = State(pairs, row.page, row.method, url, headers, row.cookies)
    folder = world.write(row)
    world.tested.add(row.name)
    made = world.make(row, folder, state)
    said = world.explain(state, path)
    did = world.send_request(state, made.get("cookie"))
    problems = find_problems(row, said, did)
    if path.startswith("/") and ROWS.index(row) % 3 == 0 and not made["error"]:
        problems += find_differences("by URL", said, world.explain(state, url))
        if row.app in ENDPOINTS and "redirect" not in row.name:  # a view redirects, but the endpoint runs no view
            problems += find_differences("on the page", said, world.ask_endpoint(state))
    if not problems and said["edits"]:
        state = apply(said["edits"], folder, state)
        made = world.make(row, folder, state)
        did = world.send_request(state, made.get("cookie"))
        again = world.explain(
            state, state.url if path.startswith("http") else state.url.partition(world.resolve("<api>"))[2] or state.url
        )
        if made["error"]:
            problems.append(f"after the edits the application does not start: {made['error']}")
        if not did["allowed"] or (
            state.credentials and did["cookies_sent"] is False and "two sites" not in said["fix"]
        ):
            problems.append(f"after the edits Chromium blocks it: {did}")
        if again["fix"] and again["fix"] not in said["fix"]:
            problems.append(f"the fix leads to another one: {again['fix']}")
    text = "\n".join([*problems, json.dumps(said, indent=1), json.dumps(did)])
    assert bool(problems) == (row.name in WRONG), text


def find_differences(how: str, said: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the differences to an explanation of the same request in another way."""
    names = [
        "allowed",
        "preflighted",
        "reason",
        "answered_by",
        "edits",
        *(["fix"] if "exception" not in said["fix"] else []),
    ]
    return [f"{how}: {name} is {other[name]!r}, not {said[name]!r}" for name in names if other[name] != said[name]]


def find_problems(row: Row, said: dict[str, Any], did: dict[str, Any]) -> list[str]:
    """Return the differences between the explanation and Chromium or the expected values."""
    names = ["allowed", "reason", *(["preflighted"] if row.by else [])]
    reasons = {**did, "reason": said["reason"] if (said["reason"], did["reason"]) == REDIRECTED else did["reason"]}
    problems = [f"{name}: said {said[name]}, did {did[name]}" for name in names if said[name] != reasons[name]]
    for name in ("status", "cookies_sent"):
        if said[name] is not None and did["allowed"] and said[name] != did[name]:
            problems.append(f"{name}: said {said[name]}, did {did[name]}")
    if said["answered_by"] != row.by:
        problems.append(f"answered_by: said {said['answered_by']}, is {row.by}")
    if said["allowed"] and not said["fix"]:
        problems.append("there is no fix")
    if row.why and (said["edits"] or row.why not in (said["fix"] or "")):
        problems.append(f"it does not say why no edit helps ({row.why!r}): {said['fix']} {said['edits']}")
    if not row.why and not said["edits"]:
        problems.append(f"there are no edits: {said['fix']}")
    return problems


def test_the_document_has_the_messages_of_chromium(world: World) -> None:
    if len(world.tested) < len(ROWS):
        pytest.skip("it needs the messages of all situations")
    text = "\n".join(world.messages)
    patterns = {seen: re.escape(seen).replace("…", ".*") for seen in MESSAGES if seen != LOCAL_NETWORK}
    assert [seen for seen, pattern in patterns.items() if not re.search(pattern, text)] == []
