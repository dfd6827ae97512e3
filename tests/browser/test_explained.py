"""The page and its playground explain why the browser blocked a request, with the fix."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import ConsoleMessage, Locator, Page, expect
from urllib3.util import Retry

from tests.baking import BakedProject
from tests.browser.requests_of_a_page import fetch
from tests.browser.scripted_server import reply
from tests.browser.scripted_server import serving as serving_script
from tests.running import RunningProject, preferred_port
from tests.serving import serving

# the name of a preset, whether the page gets a response, and words of the explanation
PRESETS = {
    "simple": (True, "It is a simple request"),
    "preflighted": (True, "Access-Control-Request-Headers: content-type"),
    "credentialed": (True, "The request carries the session cookie"),
    "error response": (True, "The response is 404"),
    "patch in lower case": (False, 'method: "PATCH"; methods are case-sensitive'),
    "header that is not allowed": (False, 'request_headers=["X-Lab"]'),
    "forbidden header": (True, "Cookie"),
    "no CORS policy": (False, "demo.py: "),
    "wildcard with cookies": (False, "CORSNotSupportingCredentials"),
    "forbidden method": (False, "Browsers do not let a page send TRACE"),
}


# with the API client of the project, whose source Vite serves
REQUEST = """async ([baseURL, { size, ...config }]) => {
  const { createApi } = await import("/src/api.ts");
  const data = size ? "x".repeat(size) : undefined;
  return createApi({ baseURL }).request({ ...config, data }).then(
    () => "an answer",
    ({ reason, message, advice }) => [reason, message, ...advice].join("\\n"),
  );
}"""
ADD_A_HEADER = """() => {
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (body) {
    this.setRequestHeader("sentry-trace", "1");
    send.call(this, body);
  };
}"""
# the response of a server that is not the API, the request, and words of the page
ELSEWHERE: dict[str, tuple[str, dict[str, Any], str]] = {
    "a redirect": ("302 | Location: /nothing", {}, "a sign-in is a navigation"),
    "a redirect of a method that is not repeated": ("302 | Location: /x", {"method": "post"}, "exactly"),
    "a large body": ("413", {"method": "post", "size": 1_100_000}, "1100000 bytes. A proxy may refuse it with a 413"),
}


def send(page: Page, kind: str) -> Locator:
    """Send the request of a card and return the locator of its outcome."""
    card = page.locator(f'[data-request="{kind}"]')
    card.get_by_role("button", name="Send").click()
    place = card.locator("[data-outcome]")
    expect(place).to_have_attribute("data-state", re.compile(".+"))
    return place


def play(page: Page, preset: str | None = None) -> tuple[Locator, Locator]:
    """Send a request of the playground. Return the locators of the response and the explanation."""
    if preset:
        page.locator("#presets").get_by_role("button", name=preset, exact=True).click()
    page.locator("#play-send").click()
    answer, why = page.locator("#play-answer"), page.locator("#play-why")
    expect(why).not_to_contain_text(re.compile("Not sent|Sending"))
    return answer, why


def test_a_blocked_request_is_explained_on_the_page_and_in_the_console(home: Page, site: RunningProject) -> None:
    fix = f'cors(demo_no_cors, origins=["{site.page}"])'
    console: list[ConsoleMessage] = []
    home.on("console", lambda message: console.append(message))
    place = send(home, "no-cors")
    expect(place).to_have_attribute("data-state", "blocked")
    for words in (f"GET {site.api}/api/demo/no-cors/hello from {site.page}", "Allow-Origin is missing", fix):
        expect(place).to_contain_text(words)
    said = [message.text for message in console if fix in message.text]
    assert len(said) == 1
    assert "Access-Control-Allow-Origin is missing" in said[0]
    expect(place.locator(".step")).to_have_count(5)
    expect(place.locator(".step").last).to_be_hidden()
    place.get_by_text("Step by step").click()
    expect(place.locator(".step").last).to_contain_text("✗ CORS check of the response")


def test_a_header_added_below_axios_is_named_with_its_fix(home: Page, site: RunningProject) -> None:
    home.evaluate(ADD_A_HEADER)
    said = home.evaluate(REQUEST, [site.api, {"url": "/api/notes"}])
    assert 'request_headers=["Authorization", "Content-Type", "If-Match", "sentry-trace"]' in said


def test_a_header_beyond_latin_1_is_explained(home: Page, site: RunningProject) -> None:
    said = home.evaluate(REQUEST, [site.api, {"url": "/api/notes", "headers": {"X-Lab": "\u5b9e"}}])
    assert 'request_headers=["Authorization", "Content-Type", "If-Match", "X-Lab"]' in said


@pytest.mark.parametrize(("answer", "config", "words"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_response_of_another_server_is_explained(home: Page, answer: str, config: dict[str, Any], words: str) -> None:
    status, _, text = answer.partition(" | ")
    origin = home.evaluate("origin")
    with serving_script() as server:
        cors = f"Origin: {origin} | Credentials: true | {text}" if text else ""
        server.replies["/x"] = (reply(200, ""), reply(int(status), cors))
        config = {"url": "/x", "headers": {"Content-Type": "text/plain"}, **config}
        assert words in home.evaluate(REQUEST, [server.url, config])


def test_the_page_detects_a_sign_out_in_another_tab(sign_in: Callable[[], Page]) -> None:
    page = sign_in()
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Sign out").click()
    expect(other.locator("#who")).to_have_text("Not signed in")
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("#who")).to_have_text("Not signed in")
    expect(page.locator("#session-outcome")).to_have_text("The sign-in changed in another tab.")


def test_a_page_on_127_0_0_1_shows_which_name_to_use(page: Page, site: RunningProject) -> None:
    page.goto(site.page.replace("localhost", "127.0.0.1"))
    for place in (page.locator("#session-outcome"), send(page, "credentialed")):
        expect(place).to_contain_text(
            f"open the page at {site.page} ({site.page} is allowed. Yours differs in the host)"
        )
    expect(send(page, "simple-get")).to_have_attribute("data-state", "ok")  # the public policy allows it


@pytest.fixture
def page_without_api(with_node: BakedProject) -> Iterator[tuple[str, str]]:
    """Serve the page without an API. Yield the URL of the page and the expected URL of the API."""
    port, api = preferred_port(0), f"http://localhost:{preferred_port(0)}"
    vite = ["node", "node_modules/vite/bin/vite.js", "--port", str(port)]
    with serving(vite, port, with_node.path / "frontend", {"VITE_API_URL": api}):
        # Vite opens its port to check it, closes it and opens it again
        again = requests.adapters.HTTPAdapter(max_retries=Retry(connect=100, backoff_factor=0.1, backoff_max=0.2))
        with requests.Session() as session:
            session.mount("http://", again)
            session.get(f"http://localhost:{port}", timeout=30).raise_for_status()
        yield f"http://localhost:{port}", api


def test_without_an_api_the_page_says_that_no_server_responds(page: Page, page_without_api: tuple[str, str]) -> None:
    address, api = page_without_api
    page.goto(address)
    for place in (page.locator("#session-outcome"), send(page, "preflighted")):
        expect(place).to_contain_text(f"no server responds at {api}")
        expect(place).to_contain_text("Start the API: `uv run dev.py`")
    answer, why = play(page)
    expect(answer).to_have_attribute("data-state", "blocked")
    expect(why).to_contain_text("the API is not running")


@pytest.mark.parametrize("preset", PRESETS)
def test_the_playground_explains_what_the_browser_did(home: Page, preset: str) -> None:
    has_response, words = PRESETS[preset]
    answer, why = play(home, preset)
    expect(why).to_contain_text("The browser has the same result.")
    expect(why).to_contain_text(words)
    assert (why.get_attribute("data-state") == "ok") == has_response
    assert (answer.get_attribute("data-state") != "blocked") == has_response


def test_every_preset_is_tested(home: Page) -> None:
    assert home.locator("#presets button").all_inner_texts() == list(PRESETS)


def test_the_playground_sends_any_request_and_shows_what_the_page_can_read(
    sign_in: Callable[[], Page], site: RunningProject
) -> None:
    page = sign_in()
    page.get_by_label("Method").fill("POST")
    page.get_by_label("Path").fill("/api/notes")
    page.get_by_label("Headers").fill("Content-Type: application/json\n\nIf-Match: a:b")
    page.get_by_label("Body").fill('{"title": "of the playground"}')
    page.get_by_label("with credentials").check()
    answer, why = play(page)
    expect(answer).to_contain_text("201")
    expect(answer).to_contain_text("etag: ")
    expect(answer).to_contain_text(re.compile('"title": ?"of the playground"'))
    expect(why).to_contain_text("Access-Control-Request-Headers: content-type,if-match")
    assert "of the playground" in fetch(page, f"{site.api}/api/notes", credentials="include")["text"]


@pytest.mark.parametrize(("path", "headers"), [("/api/public/hello", "no header"), ("http://", "")])
def test_an_invalid_request_shows_an_error(home: Page, path: str, headers: str) -> None:
    home.get_by_label("Path").fill(path)
    home.get_by_label("Headers").fill(headers)
    home.locator("#play-send").click()
    expect(home.locator("#play-answer")).to_contain_text(re.compile("TypeError|[Ii]nvalid|valid URL"))


def test_with_one_origin_the_page_says_so_and_nothing_is_blocked(page: Page, one_origin: RunningProject) -> None:
    page.goto(one_origin.page)
    expect(page.locator("#relation")).to_have_text("same origin (proxy)")
    expect(page.locator(".notice")).to_have_count(3)
    for notice in page.locator(".notice").all():
        expect(notice).to_be_visible()
    for kind in ("simple-get", "preflighted", "no-cors"):
        place = send(page, kind)
        expect(place).to_have_attribute("data-state", "ok")
        expect(place).to_contain_text("CORS does not apply")
    expect(page.locator('[data-request="no-cors"] > p:visible')).to_contain_text("Only front ends of other origins")
    page.get_by_role("button", name="Load all files").click()
    expect(page.locator('[data-from][data-state=""]')).to_have_count(0)
    expect(page.locator('[data-from][data-state="blocked"]')).to_have_count(0)
    for preset in ("no CORS policy", "wildcard with cookies", "header that is not allowed"):
        answer, why = play(page, preset)
        expect(answer).to_contain_text("200")
        expect(why).to_contain_text("The browser has the same result.")
        expect(why).to_contain_text("CORS does not apply")


def test_with_two_origins_the_page_says_so(home: Page) -> None:
    expect(home.locator("#relation")).to_have_text("cross-origin")
    expect(home.locator(".notice")).to_have_count(0)
