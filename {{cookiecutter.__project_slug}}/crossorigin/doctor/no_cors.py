"""Requests without CORS: `<img>`, `<script>`, `<iframe>`, `sendBeacon`, and fetch with mode "no-cors".

The API gets them, with cookies if allowed. The page cannot read the response, and perhaps cannot show it.
"""

import re
from collections.abc import Iterator

from ..origins import get_site
from ..rules import SAFELISTED_METHODS
from . import browser
from .browser import Request, Response, Step, get_header, get_origin

POLICY = "Cross-Origin-Resource-Policy"
# a "no" to these does not stop the browser
FRAME, TYPE = "An <iframe> shows the response", "<script> and <img> can use the response"
DATA = re.compile(r"(text|application)/(html|plain|([a-z0-9.-]+\+)?(json|xml))", re.IGNORECASE)


def check_method(request: Request) -> Step:
    """Decide whether the method is allowed without CORS (Fetch, the constructor of Request)."""
    ok = browser.normalize_method(request.method) in SAFELISTED_METHODS
    return Step("The method is allowed without CORS", ok, "It must be GET, HEAD or POST.")


def is_allowed_header(name: str, value: str) -> bool:
    """Tell whether a header is allowed without CORS (Fetch, #no-cors-safelisted-request-header)."""
    return name.lower() != "range" and browser.is_safelisted_header(name, value)


def check_response(request: Request, response: Response) -> Iterator[Step]:
    """Yield what the page can do with a response, by element."""
    yield check_frame(request, response)
    yield check_type(response)
    if browser.normalize_method(request.method) == "POST":
        yield Step("sendBeacon is sent", True, "The page never gets its response.")
    yield check_resource_policy(request, response)


def check_frame(request: Request, response: Response) -> Step:
    """Decide whether a frame shows a response (CSP, #directive-frame-ancestors, and RFC 7034)."""
    policy = get_header(response, "Content-Security-Policy") or ""
    if found := re.search(r"(?:\A|[;,])\s*frame-ancestors\b([^;,]*)", policy, re.IGNORECASE):
        ok = any(_is_ancestor(source, request) for source in found[1].lower().split())
        return Step(FRAME, ok, f"Content-Security-Policy has frame-ancestors {found[1].strip()}.")
    options = (get_header(response, "X-Frame-Options") or "missing").lower()
    same_origin = browser.is_same_origin(request.url, request.origin)
    ok = {"deny": False, "sameorigin": same_origin}.get(options, True)
    return Step(FRAME, ok, f"X-Frame-Options is {options}.")


def check_type(response: Response) -> Step:
    """Decide whether elements can use a response (Fetch, "Opaque-response blocking")."""
    given = (get_header(response, "Content-Type") or "").partition(";")[0].strip()
    nosniff = (get_header(response, "X-Content-Type-Options") or "").lower() == "nosniff"
    ok = not (nosniff and DATA.fullmatch(given))
    detail = "It is not blocked." if ok else f"{given} with X-Content-Type-Options: nosniff is blocked."
    return Step(TYPE, ok, detail)


def check_resource_policy(request: Request, response: Response) -> Step:
    """Decide whether the page may use a response (Fetch, #cross-origin-resource-policy-check)."""
    value, page, api = get_header(response, POLICY), request.origin, get_origin(request.url)
    one_site = get_site(page).partition("://")[2] == get_site(api).partition("://")[2]
    one_site = one_site and (page.startswith("https:") or not api.startswith("https:"))
    ok = {"same-origin": page == api, "same-site": one_site}.get(value or "", True)
    detail = f"{POLICY} is {value!r}." if value else f"{POLICY} is missing, so every page may use it."
    return Step("The page may use the response", ok, detail)


def _is_ancestor(source: str, request: Request) -> bool:
    """Tell whether an item of frame-ancestors is the page (CSP, #match-url-to-source-expression)."""
    page, api = request.origin, get_origin(request.url)
    if source in ("*", "'self'", "'none'"):
        return source != "'none'" and (source == "*" or page == api)
    if source.endswith(":"):
        return page.startswith((source, source.replace("http:", "https:")))
    scheme, _, host = source.rpartition("://")
    scheme = (scheme or api.partition(":")[0]).replace("http", "https?").replace("s?s", "s")
    host = re.escape(host.partition("/")[0]).replace(r"\*\.", r"[^:]+\.").replace(r":\*", "(:[0-9]+)?")
    return re.fullmatch(f"{scheme}://{host}", page) is not None
