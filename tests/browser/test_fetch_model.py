"""Compare the browser model, `crossorigin/doctor/browser.py`, with real browsers. All differences are listed here."""

import importlib
import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page

from tests.baking import CHECKOUT
from tests.browser.fetch_cases import CASES, Case
from tests.browser.scripted_server import ReceivedRequest, ScriptedServer, parse_headers, reply, serving

# send all requests of a list at once. null means that the script cannot read the response
FETCH_ALL = """(requests) => Promise.all(requests.map(async ([url, options]) => {
  try {
    const response = await fetch(url, options);
    return { status: response.status, headers: [...new Set(response.headers.keys())] };
  } catch {
    return null;
  }
}))"""
CHUNK = 200
PREFLIGHT = ("Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers")

Headers = tuple[tuple[str, str], ...]


class Outcome(NamedTuple):
    """What a browser did: the preflight, the headers that it sent, and what the script can read."""

    preflight: tuple[str | None, ...] | None
    method: str | None
    sent: tuple[str, ...]
    status: int | None
    readable: tuple[str, ...]


# deviations of browsers: a description, the function of the model, and its replacement
Deviations = dict[str, tuple[str, Callable[[Any], Any]]]
AUTHORIZATION: Deviations = {
    "Access-Control-Allow-Headers: * covers Authorization without credentials": (
        "check_preflight",
        lambda checks: lambda request, response: checks(request, add_authorization(request, response)),
    ),
}
CHROMIUM: Deviations = AUTHORIZATION | {
    "client hints need no preflight": (
        "is_safelisted_header",
        lambda safelisted: lambda name, value: safelisted(name, value) or is_client_hint(name.lower(), value),
    ),
    "a User-Agent of the script is removed and needs no preflight": (
        "is_forbidden_header",
        lambda forbidden: lambda name, value: forbidden(name, value) or name.lower() == "user-agent",
    ),
    "several values of a request header are joined before the check": (
        "get_sent_headers",
        lambda sent: lambda headers: tuple(join_headers(sent(headers)).items()),
    ),
}
FIREFOX: Deviations = AUTHORIZATION | {
    "non-ASCII values and invalid parameters are unsafe": (
        "is_safelisted_header",
        lambda safelisted: lambda name, value: safelisted(name, value) and value.isascii() and ";," not in value,
    ),
    "each header is checked separately, without the limit of 1024 bytes for all, and repeated names are listed twice": (
        "get_unsafe_names",
        lambda unsafe: lambda headers: sorted(name for line in headers for name in unsafe([line])),
    ),
}
DEVIATIONS = {"chromium": CHROMIUM, "firefox": FIREFOX}


def add_authorization(request: Any, response: Any) -> Any:
    """Return a reply to a preflight with Authorization added to a wildcard."""
    name, headers = "Access-Control-Allow-Headers", response.headers
    listed = [part.strip() for key, value in headers if key == name for part in value.split(",")]
    more = ((name, "Authorization"),) if "*" in listed and not request.credentials else ()
    return response._replace(headers=(*headers, *more))


def is_client_hint(name: str, value: str) -> bool:
    """Return whether a header is a client hint (https://wicg.github.io/client-hints-infrastructure)."""
    number = re.fullmatch("[0-9.]+", value) is not None
    numbers = dict.fromkeys(["device-memory", "dpr", "width", "viewport-width", "rtt", "downlink"], number)
    hints = {**numbers, "ect": value in ("slow-2g", "2g", "3g", "4g"), "save-data": value == "on", "intervention": True}
    return len(value) <= 128 and hints.get(name, False)


def join_headers(headers: Headers) -> dict[str, str]:
    """Return headers by lower-case name, with repeated values joined."""
    names = dict.fromkeys(name.lower() for name, _ in headers)
    return {name: ", ".join(value.strip(" \t") for n, value in headers if n.lower() == name) for name in names}


@pytest.fixture(scope="module")
def model() -> Iterator[Any]:
    """Return the model from the folder of the template."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(CHECKOUT / "{{cookiecutter.__project_slug}}")
        yield importlib.import_module("crossorigin.doctor.browser")


@pytest.fixture
def api() -> Iterator[ScriptedServer]:
    """Run a server for the replies of the cases."""
    with serving() as server:
        yield server


def predict_outcome(model: Any, case: Case, url: str, origin: str) -> Outcome:
    """Return the outcome according to the model."""
    if model.is_forbidden_method(case.method):
        return Outcome(None, None, (), None, ())
    request = model.Request(case.method, url, origin, parse_headers(case.headers), case.credentials)
    preflight = None
    if model.needs_preflight(request):
        said = dict(model.build_preflight_headers(request))
        preflight = tuple(said.get(name) for name in PREFLIGHT)
        answer = model.Response(*build_reply(case.preflight, origin))
        if not all(step.ok for step in model.check_preflight(request, answer)):
            return Outcome(preflight, None, (), None, ())
    sent = tuple(sorted({name.lower() for name, _ in model.get_sent_headers(request.headers)}))
    response = model.Response(*build_reply(case.reply, origin))
    ok = model.check_cors(request, response).ok
    status, readable = (response.status, model.get_readable_headers(request, response)) if ok else (None, ())
    return Outcome(preflight, model.normalize_method(case.method), sent, status, tuple(readable))


def build_reply(answer: tuple[int, str], origin: str) -> Any:
    """Return a reply of a case for the origin of the page."""
    return reply(answer[0], answer[1].replace("PAGE", origin))


def get_observed_outcome(case: Case, asked: list[ReceivedRequest], read: dict[str, Any] | None) -> Outcome:
    """Return the outcome in the browser, from the requests and from what the script could read."""
    preflights = [one for one in asked if PREFLIGHT[1].lower() in one.headers]
    requests = [one for one in asked if one not in preflights]
    assert len(preflights) <= 1, asked
    assert len(requests) <= 1, asked
    preflight = tuple(preflights[0].headers.get(name.lower()) for name in PREFLIGHT) if preflights else None
    status, readable = (read["status"], tuple(sorted(read["headers"]))) if read else (None, ())
    if not requests:
        return Outcome(preflight, None, (), status, readable)
    got = requests[0].headers
    sent = {name for name, value in join_headers(parse_headers(case.headers)).items() if got.get(name) == value}
    sent |= got.keys() & {"range"}  # caches can rewrite it
    return Outcome(preflight, requests[0].method, tuple(sorted(sent)), status, readable)


def test_browsers_behave_as_the_model(foreign_page: Page, api: ScriptedServer, model: Any, browser_name: str) -> None:
    origin, deviations = foreign_page.evaluate("origin"), DEVIATIONS[browser_name]
    urls, requests = [f"{api.url}/{number}" for number in range(len(CASES))], []
    for url, case in zip(urls, CASES, strict=True):
        api.replies[url.removeprefix(api.url)] = (build_reply(case.preflight, origin), build_reply(case.reply, origin))
        headers = [list(pair) for pair in parse_headers(case.headers)]
        credentials = "include" if case.credentials else "omit"
        requests.append([url, {"method": case.method, "headers": headers, "credentials": credentials}])
    chunks = [requests[start : start + CHUNK] for start in range(0, len(requests), CHUNK)]
    read = [answer for chunk in chunks for answer in foreign_page.evaluate(FETCH_ALL, chunk)]
    asked = [api.requests[url.removeprefix(api.url)] for url in urls]
    seen = list(map(get_observed_outcome, CASES, asked, read))

    def predictions(without: str | None = None) -> list[Outcome]:
        with pytest.MonkeyPatch.context() as patch:
            for name, (function, build_replacement) in deviations.items():
                if name != without:
                    patch.setattr(model, function, build_replacement(getattr(model, function)))
            return [predict_outcome(model, case, url, origin) for case, url in zip(CASES, urls, strict=True)]

    rows = zip(CASES, seen, predictions(), strict=True)
    wrong = [f"{case}\n  {browser_name}: {did}\n  model: {says}" for case, did, says in rows if did != says]
    assert not wrong, f"{len(wrong)} of {len(CASES)} differ:\n" + "\n".join(wrong[:20])
    assert [name for name in deviations if predictions(without=name) == seen] == [], (
        "the browser no longer has these deviations"
    )


def test_after_a_redirect_to_another_origin_the_origin_is_null(
    foreign_page: Page, api: ScriptedServer, model: Any
) -> None:
    origin, requests, expected = foreign_page.evaluate("origin"), [], []
    with serving() as other:
        values = ["Origin: PAGE", "Origin: *", "Origin: null", ""]
        for number, (first, last, server) in enumerate(product(values, values, (api, other))):
            redirect = build_reply((302, f"{first} | Location: {server.url}/last{number}"), origin)
            answer = build_reply((200, last), origin)
            api.replies[f"/first{number}"] = (redirect, redirect)
            server.replies[f"/last{number}"] = (answer, answer)
            request = model.Request("GET", f"{api.url}/first{number}", origin)
            sent = origin if server is api else "null"
            checks = [model.check_cors(request, model.Response(*redirect))]
            checks += [model.check_cors(request, model.Response(*answer), sent)]
            requests.append([request.url, {}])
            expected.append((all(check.ok for check in checks), [sent] if checks[0].ok else []))
        read = foreign_page.evaluate(FETCH_ALL, requests)
        lasts = [[*api.requests[f"/last{n}"], *other.requests[f"/last{n}"]] for n in range(len(requests))]
        origins = [[one.headers["origin"] for one in asked] for asked in lasts]
    assert [(answer is not None, sent) for answer, sent in zip(read, origins, strict=True)] == expected
    assert {allowed for allowed, _ in expected} == {True, False}
