"""The browser's decisions: a row for each rule of the Fetch standard and each edge case."""

from typing import Any

import pytest
from crossorigin.doctor import browser
from crossorigin.doctor.browser import Cookie, Request, Response

PAGE, API, APP = "http://localhost:5173", "http://localhost:8000/api", "https://app.example.com"
ALLOW = {name: f"Access-Control-Allow-{name}" for name in ("Origin", "Credentials", "Methods", "Headers")}
EXPOSE = "Access-Control-Expose-Headers"
NOT_FOUND = "MissingAllowHeaderFromPreflight"
PAIRS = list[tuple[str, str]]


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Return the headers of a text as "Origin: * | Methods: GET, PUT | Age: 3"."""
    split = [line.partition(": ") for line in text.split(" | ") if line]
    return tuple((ALLOW.get(name, name), value) for name, _, value in split)


def ask(method: str = "GET", headers: str = "", credentials: bool = False, **others: str) -> Request:
    return Request(method, others.get("url", API), others.get("origin", PAGE), pairs(headers), credentials)


def reply(headers: str, status: int = 200) -> Response:
    return Response(status, pairs(headers))


def rows(table: list[Any]) -> list[Any]:
    return [pytest.param(*row[1:], id=row[0]) for row in table]


def test_six_methods_are_sent_in_upper_case_and_the_others_as_they_are() -> None:
    for method in ("DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"):
        assert browser.normalize_method(method.lower()) == browser.normalize_method(method.title()) == method
        assert not browser.is_forbidden_method(method)
    for method in ("patch", "Patch", "propfind"):
        assert (browser.normalize_method(method), browser.is_forbidden_method(method)) == (method, False)
    assert all(map(browser.is_forbidden_method, ("CONNECT", "trace", "Track")))


FORBIDDEN = """Accept-Charset Accept-Encoding Access-Control-Request-Method Connection Content-Length Cookie
Cookie2 Date DNT Expect Host Keep-Alive Origin Referer Set-Cookie TE Trailer Transfer-Encoding Upgrade Via
Proxy-Lab Sec-Lab proxy- SEC-"""


@pytest.mark.parametrize("name", FORBIDDEN.split())
def test_only_the_browser_sets_a_header(name: str) -> None:
    assert browser.is_forbidden_header(name, "x")
    assert browser.is_forbidden_header(name.swapcase(), "")


@pytest.mark.parametrize("name", ["X-HTTP-Method", "x-http-method-override", "X-METHOD-OVERRIDE"])
def test_a_header_with_a_forbidden_method_is_removed(name: str) -> None:
    assert all(browser.is_forbidden_header(name, value) for value in ("trace", "PUT,\tTRACK ", "CONNECT"))
    assert not any(browser.is_forbidden_header(name, value) for value in ("PUT", "", "TRACES"))


def test_sent_headers_are_stripped_and_without_forbidden_ones() -> None:
    given = [("Cookie", "a=b"), ("X-Method-Override", "TRACE"), ("X-Lab", " 1\t"), ("security", "x")]
    given += [("Access-Control-Request-Lab", "x")]
    assert browser.get_sent_headers(given) == (("X-Lab", "1"), *given[3:])


CONTROLS = [chr(n) for n in range(32) if n != 9]
SAFE_OR_NOT: list[tuple[str, bool, list[str]]] = [
    ("accept", True, ["", "*/*", "é", "\t", "x" * 128]),
    ("Accept", False, ["x" * 129, *CONTROLS, *'"():<>?@[\\]{}\x7f']),
    ("Accept-Language", True, ["de, en;q=0.5", "a-z.Z*=0", "", "x" * 128]),
    ("content-language", False, ["de_DE", "é", "\t", "a/b", "x" * 129]),
    ("Content-Type", True, ["text/plain", "Text/Plain;charset=utf-8", "multipart/form-data; boundary=a"]),
    ("Content-Type", True, ["application/x-www-form-urlencoded ;a", "text/plain;" + "x" * 117]),
    ("content-type", False, ["application/json", "", "text/plain, text/html", "text", "text/plain/x"]),
    ("content-type", False, ['multipart/form-data; boundary="a"', "text/plain;" + "x" * 118]),
    ("range", True, ["bytes=0-", "bytes=1-9", "bytes=7-7"]),
    ("range", False, ["bytes=-5", "bytes=9-1", "bytes=1-2,4-5", "bytes=-", "Bytes=0-", "bytes 0-", "x=0-"]),
    ("X-Lab", False, ["", "x"]),
    ("Authorization", False, ["x"]),
]


@pytest.mark.parametrize(("name", "safe", "value"), [(n, safe, v) for n, safe, vs in SAFE_OR_NOT for v in vs])
def test_a_header_is_safelisted_or_not(name: str, safe: bool, value: str) -> None:
    assert browser.is_safelisted_header(name, value) is safe


LONG = [("Accept", "x" * 128)]
UNSAFE: list[tuple[str, PAIRS, list[str]]] = [
    ("sorted, in lower case, once", [("X-B", ""), ("x-a", ""), ("x-b", "2"), ("Accept", "")], ["x-a", "x-b"]),
    ("one of two values", [("Accept", "a"), ("Accept", "(b)")], ["accept"]),
    ("1024 bytes together", [*LONG * 7, ("Content-Language", "x" * 128)], []),
    ("more than 1024 bytes", [*LONG * 8, ("Content-Language", "x")], ["accept", "content-language"]),
    ("an unsafe value does not count", [("Accept", "x" * 129), ("Range", "bytes=0-"), *LONG * 7], ["accept"]),
    ("a removed header does not count", [("Cookie", "x" * 2000), *LONG * 8], []),
]


@pytest.mark.parametrize(("headers", "names"), rows(UNSAFE))
def test_the_unsafe_names_are(headers: PAIRS, names: list[str]) -> None:
    assert browser.get_unsafe_names(headers) == names


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        (API, "http://localhost:8000"),
        ("HTTP://LocalHost:80/a?b#c", "http://localhost"),
        ("https://me@[::1]:443", "https://[::1]"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert browser.is_same_origin(url, origin)
    for other in (f"{origin}0", origin.replace("http", "x"), origin.replace("//", "//x."), "null"):
        assert not browser.is_same_origin(url, other)


JSON = "Content-Type: application/json"
PREFLIGHTED: list[tuple[str, bool, Request]] = [
    ("GET", False, ask()),
    ("a form", False, ask("post", "Content-Type: text/plain")),
    ("HEAD", False, ask("head")),
    ("PUT", True, ask("PUT")),
    ("patch", True, ask("patch")),
    ("JSON", True, ask("POST", JSON)),
    ("credentials alone", False, ask(credentials=True)),
    ("a header that is removed", False, ask("GET", "Sec-Lab: 1")),
    ("the same origin", False, ask("PUT", JSON, origin="http://localhost:8000")),
    ("a page without origin", True, ask("GET", JSON, origin="null")),
]


@pytest.mark.parametrize(("needed", "request_"), rows(PREFLIGHTED))
def test_a_preflight_is_needed_or_not(needed: bool, request_: Request) -> None:
    assert browser.needs_preflight(request_) is needed


def test_a_preflight_has_origin_method_and_unsafe_headers() -> None:
    first = [("Origin", PAGE), ("Access-Control-Request-Method", "DELETE")]
    assert browser.build_preflight_headers(ask("delete")) == first
    names = ("Access-Control-Request-Headers", "content-type,x-lab")
    assert browser.build_preflight_headers(ask("delete", f"X-Lab: 1 | {JSON} | Accept: */*")) == [
        *first,
        names,
    ]


NO_MATCH, SEVERAL = "CORSAllowOriginNotMatchingOrigin", "CORSMultipleAllowOriginNotAllowed"
REFUSED = "CORSMissingAllowCredentials"
CHECKED: list[tuple[str, str | None, bool, str]] = [  # the reason, with credentials, the answer's headers
    ("an asterisk", None, False, "Origin: *"),
    ("the origin", None, False, f"access-control-allow-origin:  {PAGE} "),
    ("the origin and credentials", None, True, f"Origin: {PAGE} | Credentials: true"),
    ("credentials refused to a request without", None, False, f"Origin: {PAGE} | Credentials: no"),
    ("nothing", "CORSMissingAllowOrigin", False, "Vary: Origin"),
    ("an empty value", NO_MATCH, False, "Origin: "),
    ("another origin", NO_MATCH, False, "Origin: http://localhost:3000"),
    ("upper case", NO_MATCH, False, f"Origin: {PAGE.upper()}"),
    ("a pattern", NO_MATCH, False, "Origin: http://localhost:*"),
    ("null", NO_MATCH, False, "Origin: null"),
    ("two lines", SEVERAL, False, f"Origin: {PAGE} | Origin: {PAGE}"),
    ("two asterisks", SEVERAL, False, "Origin: * | Origin: *"),
    ("a list", SEVERAL, False, f"Origin: {PAGE}, {APP}"),
    ("an asterisk and credentials", "CORSNotSupportingCredentials", True, "Origin: * | Credentials: true"),
    ("credentials not allowed", REFUSED, True, f"Origin: {PAGE}"),
    ("True", REFUSED, True, f"Origin: {PAGE} | Credentials: True"),
    ("true twice", REFUSED, True, f"Origin: {PAGE} | Credentials: true | Credentials: true"),
]


@pytest.mark.parametrize(("reason", "credentials", "headers"), rows(CHECKED))
def test_the_cors_check(reason: str | None, credentials: bool, headers: str) -> None:
    step = browser.check_cors(ask(credentials=credentials), reply(headers))
    assert (step.ok, step.reason) == (reason is None, reason)
    first = next(browser.check_preflight(ask(credentials=credentials), reply(headers)))
    assert first[1:] == step[1:]


def test_after_a_redirect_to_another_origin_the_page_has_the_origin_null() -> None:
    assert not browser.check_cors(ask(), reply(f"Origin: {PAGE}"), "null").ok
    assert browser.check_cors(ask(), reply("Origin: null"), "null").ok


DIFFERENT = [("https://localhost:5173", "scheme"), ("http://127.0.0.1:5173", "host"), (f"{PAGE}/", "path")]
DIFFERENT += [("http://localhost", "port"), ("http://me@localhost:5173", "user name")]


@pytest.mark.parametrize(("allowed", "part"), [*DIFFERENT, ("null", None), ("https://localhost", None)])
def test_a_single_difference_is_named(allowed: str, part: str | None) -> None:
    assert browser.find_difference(allowed, PAGE) == part
    said = browser.check_cors(ask(), reply(f"Origin: {allowed}")).detail
    assert (f"in the {part} only" in said) is (part is not None)


LAB, TOKEN, COOKIES = ask("PUT", "X-Lab: 1"), ask("GET", "Authorization: x"), ask("PUT", "X-Lab: 1", True)
ALL, ANY, MINE = "Methods: * | Headers: *", "Origin: *", f"Origin: {PAGE} | Credentials: true"
LINES = f"{ANY} | Methods: GET | Methods: ,PUT ,\t, | Headers: a | Headers: X-Lab"
PREFLIGHTS: list[tuple[str, str | None, str, Request, int, str]] = [  # the reason, the last step, …
    ("both listed", None, "x-lab", LAB, 204, f"{ANY} | Methods: GET, PUT | Headers: x-LAB"),
    ("in several lines", None, "x-lab", LAB, 299, LINES),
    ("asterisks", None, "x-lab", LAB, 200, f"{ANY} | {ALL}"),
    ("literal asterisks", None, "header *", ask("*", "*: 1", credentials=True), 200, f"{MINE} | {ALL}"),
    ("both listed, with credentials", None, "x-lab", COOKIES, 200, f"{MINE} | Methods: PUT | Headers: x-lab"),
    ("a POST not listed", None, "content-type", ask("POST", JSON), 200, f"{ANY} | Headers: content-type"),
    ("Authorization listed", None, "authorization", TOKEN, 200, f"{ANY} | Headers: *, AUTHORIZATION"),
    ("a trailing slash", "PreflightDidNotSucceed", "redirected", LAB, 308, f"{ANY} | Location: /api/"),
    ("https", "ExternalRedirectNotAllowed", "redirected", LAB, 301, "Location: https://localhost:8000/api"),
    ("300", "PreflightDidNotSucceed", "status", LAB, 300, f"{ANY} | Location: /"),
    ("401", "PreflightDidNotSucceed", "status", LAB, 401, ANY),
    ("401 without headers", "MissingAllowOrigin", "CORS check", LAB, 401, ""),
    ("not a list of methods", "InvalidAllowMethod", "Methods", LAB, 200, f"{ANY} | Methods: PUT GET"),
    ("not a list of headers", "InvalidAllowHeader", "Headers", LAB, 200, f"{ANY} | Methods: PUT | Headers: :"),
    ("method not listed", "MethodNotFound", "method", LAB, 200, f"{ANY} | Methods: POST | Headers: x-lab"),
    ("no list", "MethodNotFound", "method", LAB, 200, ANY),
    ("method in lower case", "MethodNotFound", "method", ask("patch"), 200, f"{ANY} | Methods: PATCH"),
    ("header not listed", NOT_FOUND, "x-lab", LAB, 200, f"{ANY} | Methods: PUT | Headers: x"),
    ("no asterisk for a method", "MethodNotFound", "method", COOKIES, 200, f"{MINE} | {ALL}, x-lab"),
    ("no asterisk for a header", NOT_FOUND, "x-lab", COOKIES, 200, f"{MINE} | Methods: PUT | Headers: *"),
    ("no asterisk for Authorization", NOT_FOUND, "authorization", TOKEN, 200, f"{ANY} | {ALL}"),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "last", "request_", "status", "headers"), rows(PREFLIGHTS))
def test_a_preflight_passes_or_fails_at(
    reason: str | None, last: str, request_: Request, status: int, headers: str
) -> None:
    steps = list(browser.check_preflight(request_, reply(headers, status)))
    step = next((step for step in steps if not step.ok), steps[-1])
    assert (step.ok, step.reason) == (reason is None, reason and f"CORS{reason}")
    assert last in step.step


@pytest.mark.parametrize(
    ("headers", "seconds"), [("A: 0", 0), ("A: 7201", 7200), ("", 5), ("A: -1", 5), ("A: 9 | A: 9", 5)]
)
def test_a_preflight_is_cached(headers: str, seconds: int) -> None:
    assert browser.get_max_age(reply(headers.replace("A:", "Access-Control-Max-Age:"))) == seconds


SENT = " | ".join(f"{name}: x" for name in ("X-Lab", "ETag", "Set-Cookie", "Pragma", "Content-Length"))
READABLE: list[tuple[str, Request, str, str]] = [
    ("the safelisted ones", ask(), "", "content-length pragma"),
    ("what is exposed, in any case", ask(), "x-LAB, not-sent, Set-Cookie", "content-length pragma x-lab"),
    ("everything", ask(), "*", f"{EXPOSE.lower()} content-length etag pragma x-lab"),
    ("no asterisk with credentials", ask(credentials=True), "*, ETag", "content-length etag pragma"),
    ("nothing of a malformed list", ask(), "X-Lab ETag", "content-length pragma"),
]


@pytest.mark.parametrize(("request_", "exposed", "read"), rows(READABLE))
def test_a_page_can_read(request_: Request, exposed: str, read: str) -> None:
    response = reply(f"{SENT} | {EXPOSE}: {exposed}")
    assert browser.get_readable_headers(request_, response) == read.split()
    same_origin = request_._replace(origin="http://localhost:8000")
    everything = f"{EXPOSE.lower()} content-length etag pragma x-lab"
    assert browser.get_readable_headers(same_origin, response) == everything.split()


def with_cookies(origin: str = PAGE, url: str = API) -> Request:
    return ask(credentials=True, origin=origin, url=url)


LAX, STRICT, BOTH = Cookie("Lax", False), Cookie("Strict", True), Cookie("None", True)
HOME, TWO = with_cookies("https://www.example.com", f"{APP}/x"), with_cookies("https://other.example", f"{APP}/x")
SENT_ALONG: list[tuple[str, bool, Cookie, Request, str]] = [
    ("another port", True, LAX, with_cookies(), "site of the page"),
    ("Secure on this machine", True, STRICT, with_cookies(), "site of the page"),
    ("a sibling", True, LAX, HOME, "site of the page"),
    ("the same origin", True, STRICT, ask(origin="http://localhost:8000"), "site of the page"),
    ("partitioned", True, BOTH._replace(partitioned=True), TWO, "two sites"),
    ("no credentials", False, LAX, ask(), "withCredentials"),
    ("two names of this machine", False, LAX, with_cookies("http://127.0.0.1:5173"), "Use one host name for both"),
    ("two schemes", False, LAX, with_cookies("https://localhost"), "Use one scheme for both"),
    ("an app", False, BOTH._replace(partitioned=True), with_cookies("capacitor://localhost"), "is an app"),
    ("two sites", False, STRICT, TWO, "SameSite=Strict"),
    ("no origin", False, LAX, with_cookies("null"), "two sites"),
    ("third-party", False, BOTH, TWO, "blocked unless they are Partitioned"),
    ("Secure over http", False, STRICT, with_cookies(url="http://api.example"), "https"),
    ("None without Secure", False, Cookie("None", False), HOME, "need Secure"),
]


@pytest.mark.parametrize(("sent", "cookie", "request_", "word"), rows(SENT_ALONG))
def test_a_cookie_is_sent_or_not(sent: bool, cookie: Cookie, request_: Request, word: str) -> None:
    step = browser.check_cookie(request_, cookie)
    assert (step.ok, word in step.detail) == (sent, True)


def test_a_browser_can_allow_cookies_between_two_sites() -> None:
    assert browser.check_cookie(TWO, BOTH, third_party_blocked=False).ok


LAN, SECURE_PAGE = "http://192.168.1.7:8000", "https://8.8.8.8"


@pytest.mark.parametrize(
    ("ok", "origin", "url"),
    [
        (False, APP, "http://api.example.com"),
        *((True, APP, url) for url in (LAN, "http://printer.local", "http://[fd00::1]:8000")),
        *((None, APP, url) for url in (API, "http://[::1]:8000", "https://api.example.com")),
        (None, PAGE, "http://api.example.com"),
    ],
)
def test_an_https_page_may_not_call_http(ok: bool | None, origin: str, url: str) -> None:
    step = browser.check_mixed_content(ask(origin=origin, url=url))
    assert (step and step.ok) is ok
    assert step is None or (step.reason is None, "Chromium allows it" in step.detail) == (ok, ok)


ADDRESSES = {"near.example": "192.168.1.7", "me.example": "127.0.0.1", "far.example": "8.8.8.8"}
PUBLIC, BLOCKS, ASKS, MAY, FREE = "http://8.8.8.8", "blocks", "asks", "is not known here", None
LOCAL: list[tuple[str | None, str, str]] = [  # what is said, the page, the API
    *((BLOCKS, PUBLIC, url) for url in (API, "http://127.8.9.1", LAN, "http://10.0.0.1", "http://[::ffff:10.0.0.1]")),
    *((BLOCKS, PUBLIC, f"http://{host}") for host in ("app.localhost", "near.example", "me.example", "[fd00::1]")),
    *((BLOCKS, PUBLIC, url) for url in ("http://0.0.0.0:8000", "http://[::]", "http://[fec0::1]")),
    *((BLOCKS, "http://far.example", url) for url in (API, LAN)),
    *((ASKS, SECURE_PAGE, url) for url in (API, LAN, "https://near.example")),
    *((MAY, page, API) for page in ("http://app.example.com", APP)),
    *((MAY, page, "https://api.example.com") for page in (PUBLIC, SECURE_PAGE, APP.replace("app", "web"))),
    *((FREE, PUBLIC, url) for url in ("http://9.9.9.9", "http://far.example", "http://198.18.0.1")),
    *((FREE, page, API) for page in (PAGE, LAN, "http://0.0.0.0:5173", "http://near.example", "https://me.example")),
    *((FREE, page, LAN) for page in (PAGE, "http://app.localhost", "http://192.168.1.20")),
    *((FREE, page, API) for page in ("null", "capacitor://localhost", "chrome-extension://abc", "vscode-webview://a")),
    (FREE, APP, f"{APP}:8443"),
]


@pytest.mark.parametrize(("said", "origin", "url"), LOCAL)
def test_the_address_decides_if_a_page_may_call_the_visitors_network(said: str | None, origin: str, url: str) -> None:
    step = browser.check_local_network(ask(origin=origin, url=url), ADDRESSES.get)
    assert (step and said in step.detail, step and step.ok) == (said and True, said and said != BLOCKS)
