"""What a browser decides about a request to another origin, with the rules of the Fetch standard.

Nothing here uses Flask or sends a request. Requests and responses go in, decisions come out.
The docstrings name sections of https://fetch.spec.whatwg.org, unless they name another source.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import ip_address, ip_network
from typing import Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

from ..origins import DEFAULT_PORTS, SHAPE, Parts, get_site, is_app, is_loopback
from ..rules import FORBIDDEN_HEADERS, FORBIDDEN_METHODS, SAFELISTED_METHODS, TOKEN

Header = tuple[str, str]
Headers = tuple[Header, ...]

NORMALIZED_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"}
METHOD_HEADERS = {"x-http-method", "x-http-method-override", "x-method-override"}
UNSAFE_BYTE = re.compile(r'[\x00-\x08\x0a-\x1f"():<>?@\[\\\]{}\x7f]')
LANGUAGES = re.compile(r"[0-9A-Za-z *,.;=-]*\Z")
FORM_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
MAX_LENGTH, MAX_TOTAL = 128, 1024  # bytes of one safelisted header, and of all
ALWAYS_READABLE = {"cache-control", "content-language", "content-length", "content-type"}
ALWAYS_READABLE |= {"expires", "last-modified", "pragma"}
NEVER_READABLE = {"set-cookie", "set-cookie2"}
REDIRECTS = {301, 302, 303, 307, 308}
# this machine and its network, as Chromium 156 defines them (https://wicg.github.io/local-network-access/)
LOCAL_NETWORKS = "0.0.0.0/32 127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 169.254.0.0/16"
LOCAL_NETWORKS += " ::/127 fc00::/7 fe80::/9"


class Request(NamedTuple):
    """A request of a script. `origin` is the origin of its page, `headers` are set by the script."""

    method: str
    url: str
    origin: str
    headers: Headers = ()
    credentials: bool = False
    mode: Literal["cors", "no-cors"] = "cors"
    upload_progress: bool = False  # whether the script listens to the upload's progress


class Response(NamedTuple):
    """A response with each header line as it was received, repeated names included."""

    status: int
    headers: Headers = ()


class Step(NamedTuple):
    """One decision. `reason` is the name of MDN's page about a failure (Web/HTTP/Guides/CORS/Errors)."""

    step: str
    ok: bool
    detail: str
    reason: str | None = None


class Cookie(NamedTuple):
    """The attributes of a cookie that decide whether it is sent."""

    samesite: Literal["Lax", "Strict", "None"]
    secure: bool
    partitioned: bool = False


def normalize_method(method: str) -> str:
    """Return a method as it is sent, PUT for `put`, but `patch` unchanged (#concept-method-normalize)."""
    return method.upper() if method.upper() in NORMALIZED_METHODS else method


def is_forbidden_method(method: str) -> bool:
    """Tell whether browsers forbid a method to scripts (#forbidden-method)."""
    return method.upper() in FORBIDDEN_METHODS


def is_forbidden_header(name: str, value: str) -> bool:
    """Tell whether the browser removes a header that a script has set (#forbidden-request-header)."""
    if name.lower() in METHOD_HEADERS:
        return any(is_forbidden_method(part.strip(" \t")) for part in value.split(","))
    return FORBIDDEN_HEADERS.fullmatch(name.lower()) is not None


def is_latin_1(value: str) -> bool:
    """Tell whether a script can set a value (https://webidl.spec.whatwg.org/#js-ByteString)."""
    return all(ord(character) <= 0xFF for character in value)


def is_safelisted_header(name: str, value: str) -> bool:
    """Tell whether a header needs no preflight (#cors-safelisted-request-header)."""
    if len(value) > MAX_LENGTH:
        return False
    match name.lower():
        case "accept":
            return not UNSAFE_BYTE.search(value)
        case "accept-language" | "content-language":
            return LANGUAGES.match(value) is not None
        case "content-type":
            essence = value.partition(";")[0].strip(" \t").lower()
            return essence in FORM_TYPES and not UNSAFE_BYTE.search(value)
        case "range":
            found = re.match(r"bytes=([0-9]+)-([0-9]*)\Z", value)
            return found is not None and (not found[2] or int(found[1]) <= int(found[2]))
    return False


def get_sent_headers(headers: Iterable[Header]) -> Headers:
    """Return the headers of a script that the browser sends (#headers-validate)."""
    stripped = [(name, value.strip(" \t\r\n")) for name, value in headers]
    return tuple((name, value) for name, value in stripped if not is_forbidden_header(name, value))


def get_unsafe_names(headers: Iterable[Header]) -> list[str]:
    """Return the names of the headers that need a preflight, sorted (#cors-unsafe-request-header-names)."""
    sent = get_sent_headers(headers)
    safe = [(name, value) for name, value in sent if is_safelisted_header(name, value)]
    too_long = sum(len(value) for _, value in safe) > MAX_TOTAL
    return sorted({name.lower() for name, value in sent if too_long or (name, value) not in safe})


def get_origin(url: str) -> str:
    """Return the origin of a URL, without a default port (https://url.spec.whatwg.org/#origin)."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port is None else str(parts.port)
    return str(Parts(parts.scheme, host or "", None if port == DEFAULT_PORTS.get(parts.scheme) else port))


def is_same_origin(url: str, origin: str) -> bool:
    """Tell whether a URL has the origin of a page (https://html.spec.whatwg.org/#same-origin)."""
    return get_origin(url) == origin


def needs_preflight(request: Request) -> bool:
    """Tell whether the browser sends a preflight before a request (#main-fetch)."""
    if request.mode == "no-cors" or is_same_origin(request.url, request.origin):
        return False
    simple = normalize_method(request.method) in SAFELISTED_METHODS and not get_unsafe_names(request.headers)
    return not simple or request.upload_progress


def build_preflight_headers(request: Request) -> list[tuple[str, str]]:
    """Return the headers of the preflight of a request (#cors-preflight-fetch)."""
    names = ",".join(get_unsafe_names(request.headers))
    return [
        ("Origin", request.origin),
        ("Access-Control-Request-Method", normalize_method(request.method)),
        *([("Access-Control-Request-Headers", names)] if names else []),
    ]


def check_cors(request: Request, response: Response, origin: str | None = None) -> Step:
    """Decide whether the page may read a response, which can be a redirect (#concept-cors-check).

    `origin` is the Origin header if it is not the page's origin: "null" after some redirects.
    """
    name, credentials = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"
    origin = origin or request.origin
    allowed, flag = get_header(response, name), get_header(response, credentials)

    def step(detail: str, reason: str | None = None) -> Step:
        return Step("CORS check of the response", reason is None, detail, reason)

    if allowed is None:
        detail = f"{name} is missing, so a page of another origin cannot read the response."
        return step(detail, "CORSMissingAllowOrigin")
    if allowed == "*" and not request.credentials:
        return step(f"{name} is '*', and the request has no credentials.")
    if allowed == "*":
        detail = f"{name} is '*', but a request with credentials needs the exact origin."
        return step(detail, "CORSNotSupportingCredentials")
    if "," in allowed:
        detail = f"{name} is {allowed!r}. Only one value is allowed. Perhaps two layers write it."
        return step(detail, "CORSMultipleAllowOriginNotAllowed")
    if allowed != origin:
        part = find_difference(allowed, origin)
        detail = f"{name} is {allowed!r}, but the origin is {origin!r}"
        detail += f". They differ in the {part} only." if part else "."
        return step(detail, "CORSAllowOriginNotMatchingOrigin")
    if request.credentials and flag != "true":
        value = "missing" if flag is None else repr(flag)
        detail = f"{credentials} is {value}. A request with credentials needs exactly 'true'."
        return step(detail, "CORSMissingAllowCredentials")
    return step(f"{name} is {allowed!r}" + (f", {credentials} 'true'." if request.credentials else "."))


def find_difference(value: str, origin: str) -> str | None:
    """Return the part (scheme, host, port, path) in which two origins differ, if it is exactly one."""
    parts = {"scheme": "scheme", "user": "user name", "host": "host", "port": "port", "rest": "path"}
    one, two = SHAPE.match(value), SHAPE.match(origin)
    differing = [parts[part] for part in parts if one and two and (one[part] or "") != (two[part] or "")]
    return differing[0] if len(differing) == 1 else None


def check_preflight(request: Request, response: Response) -> Iterator[Step]:
    """Yield the checks of the response to a preflight, in order (#cors-preflight-fetch)."""
    status, location = response.status, get_header(response, "Location")
    if status in REDIRECTS and location is not None:
        target = urljoin(request.url, location)
        same = get_origin(target) == get_origin(request.url)
        reason = "CORSPreflightDidNotSucceed" if same else "CORSExternalRedirectNotAllowed"
        detail = f"The response is {status}, a redirect to {target}."
        detail += " Browsers do not follow a redirect of a preflight."
        yield Step("the preflight is not redirected", False, detail, reason)
    yield check_cors(request, response)._replace(step="CORS check of the preflight")
    detail = f"The status of the preflight is {status}. It must be 200 to 299."
    ok, step = 200 <= status <= 299, "the status of the preflight is 2xx"
    yield _build_step(step, ok, "CORSPreflightDidNotSucceed", detail)
    methods, names = "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"
    for name, reason in ((methods, "CORSInvalidAllowMethod"), (names, "CORSInvalidAllowHeader")):
        value, ok = get_header(response, name), _parse_list(response, name) is not None
        detail = f"{name} is missing." if value is None else f"{name} is {value!r}."
        yield _build_step(f"{name} is valid", ok, reason, detail + " Separate names with commas." * (not ok))

    method, listed = normalize_method(request.method), _parse_list(response, methods) or []
    ok, detail = _check_listed(method, methods, listed, request.credentials)
    if method in SAFELISTED_METHODS:
        ok, detail = True, f"{method} is always allowed."
    elif not ok and method.upper() in listed:
        detail += f" Methods are case-sensitive: send {method.upper()!r}."
    yield _build_step("the preflight allows the method", ok, "CORSMethodNotFound", detail)

    listed = [name.lower() for name in _parse_list(response, names) or []]
    for name in get_unsafe_names(request.headers):
        ok, detail = _check_listed(name, names, listed, request.credentials)
        if name == "authorization" and name not in listed and ok:
            ok, detail = False, f"{names} is '*', which does not include {name!r}."
        step = f"the preflight allows the header {name}"
        yield _build_step(step, ok, "CORSMissingAllowHeaderFromPreflight", detail)


def get_max_age(response: Response, cap: int = 7200) -> int:
    """Return for how many seconds a browser caches a preflight, at most `cap` (#cors-preflight-fetch)."""
    value = get_header(response, "Access-Control-Max-Age") or ""
    return min(int(value) if re.fullmatch("[0-9]+", value) else 5, cap)


def get_readable_headers(request: Request, response: Response) -> list[str]:
    """Return the headers that the page can read, sorted (#cors-safelisted-response-header-name)."""
    exposed = {name.lower() for name in _parse_list(response, "Access-Control-Expose-Headers") or []}
    everything = is_same_origin(request.url, request.origin) or ("*" in exposed and not request.credentials)
    present = {name.lower() for name, _ in response.headers} - NEVER_READABLE
    return sorted(present if everything else present & (exposed | ALWAYS_READABLE))


def check_cookie(request: Request, cookie: Cookie, *, third_party_blocked: bool = True) -> Step:
    """Decide whether a cookie of the API is sent (RFC 6265bis, sections 5.2 and 5.8.3)."""
    page, api = get_site(request.origin), get_site(get_origin(request.url))
    same_site, same_origin = page == api, is_same_origin(request.url, request.origin)

    def step(detail: str, ok: bool = False) -> Step:
        return Step("cookie", ok, detail)

    if not request.credentials and not same_origin:
        return step("The request has no credentials. Set withCredentials (axios) or credentials (fetch).")
    if (cookie.samesite == "None" or cookie.partitioned) and not cookie.secure:
        return step("SameSite=None and Partitioned need Secure. Browsers reject the cookie without it.")
    if cookie.secure and not is_trustworthy(request.url):
        return step(f"The cookie is Secure, but {get_origin(request.url)} is neither https nor this machine.")
    if is_app(request.origin):
        return step(f"{request.origin} is an app. Browsers do not send cookies for apps.")
    if not same_site and cookie.samesite != "None":
        same = find_difference(page, api) or ""
        here = is_loopback(urlsplit(page).hostname) and is_loopback(urlsplit(api).hostname)
        fix = {"scheme": "Use one scheme for both.", "host": "Use one host name for both." * here}.get(same)
        fix = fix or "Use one site, or SameSite=None; Secure; Partitioned."
        return step(f"{page} and {api} are two sites, and the cookie is SameSite={cookie.samesite}. {fix}")
    if not same_site and third_party_blocked and not cookie.partitioned:
        return step(f"{page} and {api} are two sites. Such cookies are blocked unless they are Partitioned.")
    detail = f"{api} is the site of the page." if same_site else "The cookie is allowed between two sites."
    return step(detail, True)


def check_mixed_content(request: Request) -> Step | None:
    """Decide whether a page may call http (https://www.w3.org/TR/mixed-content/#should-block-fetch).

    Return None if the rule does not apply: the page is not https, or the API is trustworthy.
    """
    if not request.origin.startswith("https:") or is_trustworthy(request.url):
        return None
    host = urlsplit(request.url).hostname or ""
    ok = host.endswith(".local") or bool(_is_local(host, lambda _: None))
    detail = f"An https page may not call {get_origin(request.url)} (mixed content). No header helps."
    detail += " Chromium allows it in the local network. Other browsers do not." if ok else ""
    return _build_step("the https page may call this address", ok, "CORSDidNotSucceed", detail)


def is_mixed_content(request: Request) -> bool:
    """Tell whether a request is blocked as mixed content."""
    step = check_mixed_content(request)
    return step is not None and not step.ok


def check_local_network(request: Request, find_address: Callable[[str], str | None]) -> Step | None:
    """Decide whether a page may call the visitor's network (https://wicg.github.io/local-network-access/).

    `find_address` returns the address of a name, or None if it is unknown. Return None if the rule does not
    apply: the page is in the visitor's network, or the API is outside of it.
    """
    page, api = (urlsplit(url).hostname or "" for url in (request.origin, request.url))
    if is_app(request.origin) or request.origin == "null" or page == api:
        return None
    local_page = _is_local(page, find_address)
    local_api = None if local_page else _is_local(api, find_address)
    if local_page or local_api is False:
        return None
    asks = request.origin.startswith("https:")
    unknown = [host for host, local in ((page, local_page), (api, local_api)) if local is None]
    start = f"The address of {' and '.join(unknown)} is not known here. Perhaps the" if unknown else "The"
    detail = f"{start} API is in the visitor's network, but the page is not. Chromium "
    detail += f"{'asks the visitor' if asks else 'blocks pages without https'} (Local Network Access)."
    step, ok = "the page may reach the visitor's network", asks or bool(unknown)
    return _build_step(step, ok, "CORSDidNotSucceed", f"{detail} No header helps.")


def _is_local(host: str, find_address: Callable[[str], str | None]) -> bool | None:
    """Tell whether a host is this machine or in its network, or return None if its address is unknown."""
    if is_loopback(host):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        found = find_address(host)
        if found is None:
            return None
        address = ip_address(found)
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ip_network(network) for network in LOCAL_NETWORKS.split())


def is_trustworthy(url: str) -> bool:
    """Tell whether no one on the network can read or change a request (#is-url-trustworthy)."""
    return url.startswith("https:") or is_loopback(urlsplit(url).hostname)


def get_header(response: Response, name: str) -> str | None:
    """Return the value of a header, with several lines joined as browsers do, or None."""
    values = [value.strip(" \t") for key, value in response.headers if key.lower() == name.lower()]
    return ", ".join(values) if values else None


def _parse_list(response: Response, name: str) -> list[str] | None:
    """Return the items of a header, [] without it, or None if it is not a list (RFC 9110, section 5.6.1)."""
    values = [value.strip(" \t") for value in (get_header(response, name) or "").split(",")]
    return [value for value in values if value] if all(TOKEN.match(v) for v in values if v) else None


def _check_listed(name: str, header: str, listed: Sequence[str], credentials: bool) -> tuple[bool, str]:
    if name in listed:
        return True, f"{header} has {name!r}."
    if "*" in listed and not credentials:
        return True, f"{header} is '*', and the request has no credentials."
    hint = " With credentials, '*' is a literal name." if "*" in listed else ""
    has = f"has {', '.join(listed)}, but not" if listed else "is missing or empty. It must have"
    return False, f"{header} {has} {name!r}.{hint}"


def _build_step(step: str, ok: bool, reason: str, detail: str) -> Step:
    return Step(step, ok, detail, None if ok else reason)
