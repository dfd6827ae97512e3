"""What an origin is: what a browser sends in `Origin`, or one of three patterns for it.

Source: https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin and https://url.spec.whatwg.org
"""

import re
import socket
import unicodedata
from functools import cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from publicsuffixlist import PublicSuffixList

load_suffixes = cache(PublicSuffixList)  # of publicsuffix.org, read at the first call
DEFAULT_PORTS = {"http": "80", "https": "443"}
SHAPE = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<user>[^/?#@]*@)?"
    r"(?P<host>\[[^\]]*\]|[^/?#:\[\]]*)(?::(?P<port>[^/?#]*))?(?P<rest>[/?#].*)?\Z",
    re.DOTALL,
)
STAR_IN_LABEL = r"([a-z0-9_-]+\.)*[a-z0-9_-]+\*[a-z0-9_-]+(\.[a-z0-9_-]+)*"  # one * inside a label
PATTERN_HINT = (
    "the allowed patterns are 'https://*.example.com' and 'http://localhost:*', and one * inside a label:"
    " 'https://app-*-team.example.com'"
)
# for hosts where each preview of a page has a new name
LIST_ORIGINS = (
    "list the origins. If they change, give page and API one origin with the rewrites of the page's host, or"
    " send a token with credentials=False"
)


class Parts(NamedTuple):
    scheme: str
    host: str  # "*.example.com" for a pattern
    port: str | None  # "*" for any

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port else "")


def origin_problem(text: object, *, credentials: bool, production: bool = True) -> str | None:
    """Return what is wrong with an item of a policy's origins and what to write, or None.

    With credentials, a private address over http is refused in production only.
    """
    if not isinstance(text, str):
        return "is not a string; write for example 'https://app.example.com'"
    if text.lower() == "none":
        return "is not an origin; to allow no page, write 'none' alone, in lower case"
    if text.lower() == "null" or text.lower().startswith("file:"):
        return "is the origin of every file and every sandboxed frame; serve the page from http://localhost"
    if text != "".join(text.split()):
        return f"has white space; write {''.join(text.split())!r}"
    if "," in text:
        return "is several origins in one item; write each origin as a separate item"
    if re.search(r"[\\^$|()+{}]|\.\*|\[(?![0-9A-Fa-f:.%]*\])", text):
        return f"is a regular expression; {PATTERN_HINT}"
    match = SHAPE.match(text)
    if match is None:
        host = re.sub(r"\A(https?:)?/*", "", text).partition("/")[0] or "app.example.com"
        local = host.startswith(("localhost", "127.0.0.1"))
        return f"has no scheme; write {'http://' * local or 'https://'}{host}"
    problem = _check_parts(text, match)
    if problem or not credentials:
        return problem
    return _check_credentials(Parts(*match.group("scheme", "host", "port")), production)


def _check_parts(text: str, match: re.Match[str]) -> str | None:
    scheme, host, port = match["scheme"].lower(), match["host"], match["port"]
    if port and port != "*" and not (re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) <= 65535):
        return f"has the port {port[:9]!r}; write a number from 1 to 65535, or * for any port"
    if scheme in ("ws", "wss", "ftp", "data", "blob"):
        return f"has the scheme {scheme!r}, which cannot serve a page; write for example 'https://{host}'"
    host = host.lower() if host.isascii() else _encode_punycode(host)
    any_page = host == "*" and scheme not in DEFAULT_PORTS  # vscode-webview://*
    if problem := None if any_page else _check_host(host):
        return problem
    number = port if port in (None, "", "*") else str(int(port))
    sent = Parts(scheme, _normalize_host(host), None if number in ("", DEFAULT_PORTS.get(scheme)) else number)
    if match["user"] or match["rest"]:
        part = "a path, a query or a fragment" if match["rest"] else "a user name"
        return f"has {part}, which is not part of an origin; write {str(sent)!r}"
    if text != str(sent):
        return f"is not written as browsers send it; write {str(sent)!r}"
    return None


def _check_host(host: str) -> str | None:
    name = host.removeprefix("*.")
    if "*" in name:
        if host != name or not re.fullmatch(STAR_IN_LABEL, name):
            return f"has a * in a wrong place; {PATTERN_HINT}"
        name = name.replace("*", "x")
    if name.startswith("[") or _is_ipv4(name):
        valid = _normalize_host(name) and host == name
        kind, example = ("IPv6", "[::1]") if name.startswith("[") else ("IPv4", "127.0.0.1")
        return None if valid else f"has an invalid {kind} address; write for example 'http://{example}'"
    if not re.fullmatch(r"(?!.{254})[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", name):
        return "has an invalid host name; write for example 'https://app.example.com'"
    return None


def _check_credentials(origin: Parts, production: bool) -> str | None:
    # "*.example.com" is below example.com, and so is "app-*-team.example.com"
    below = re.sub(r"\A[^*]*\*[^.]*\.?", "", origin.host) if "*" in origin.host else None
    name = origin.host if below is None else below
    if is_loopback(name):
        return None
    if origin.scheme == "http" and (production or not is_private(name)):
        safe = str(Parts("https", origin.host, origin.port))
        return f"with credentials lets anyone who controls the network act as that page; write {safe!r}"
    if below is not None and origin.scheme not in DEFAULT_PORTS:
        return f"with credentials trusts every page of the scheme {origin.scheme!r}; {LIST_ORIGINS}"
    if below is not None and (not below or load_suffixes().publicsuffix(below) == below):
        return f"with credentials trusts anyone who registers a name under {below!r}; {LIST_ORIGINS}"
    return None


def is_private(host: str) -> bool:
    """Tell whether a host is an address of a private network, such as 192.168.1.20."""
    try:
        return ip_address(host.strip("[]")).is_private and not is_loopback(host)
    except ValueError:
        return False


def is_loopback(host: str | None) -> bool:
    """Tell whether a host is this machine, such as localhost, app.localhost, 127.0.0.1 or [::1]."""
    host = host or ""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_app(origin: str) -> bool:
    """Tell whether an origin belongs to an app or an extension, such as capacitor://localhost."""
    scheme, separator, _ = origin.partition("://")
    return bool(separator) and scheme not in DEFAULT_PORTS


def get_site(origin: str) -> str:
    """Return the site of an origin (scheme and registrable domain), which decides about cookies."""
    scheme, _, host = origin.partition("://")
    host = re.sub(r":[0-9*]*\Z", "", host).removeprefix("*.").replace("*", "x")
    # an address or a single label (localhost) has no parent domain, so the slow list is not read
    alone = host.startswith("[") or "." not in host or _is_ipv4(host)
    return f"{scheme}://{host if alone else load_suffixes().privatesuffix(host) or host}"


def _is_ipv4(host: str) -> bool:
    return re.search(r"(?:\A|\.)([0-9]+|0x[0-9a-f]*)\Z", host) is not None


def _normalize_host(host: str) -> str:
    """Return a host as browsers write it, or "" if its address is invalid."""
    try:
        if "%" in host:  # a zone: browsers refuse it
            return ""
        if host.startswith("["):
            address = IPv6Address(host[1:-1])
            mapped = address.ipv4_mapped
            return f"[::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}]" if mapped else f"[{address}]"
        if _is_ipv4(host):
            return str(IPv4Address(socket.inet_aton(host)))
    except (AddressValueError, OSError):
        return ""
    return host


def _encode_punycode(host: str) -> str:
    labels = unicodedata.normalize("NFKC", host.lower()).split(".")
    return ".".join(x if x.isascii() else "xn--" + x.encode("punycode").decode("ascii") for x in labels)
