"""Test cases for Fetch: each rule separately with its edge cases, then random combinations."""

import random
from typing import NamedTuple


class Case(NamedTuple):
    """A request and its replies. Headers are texts in which PAGE is the origin of the page."""

    method: str
    headers: str
    credentials: bool
    preflight: tuple[int, str] = (404, "")
    reply: tuple[int, str] = (404, "")


METHODS = "GET get HEAD Head POST post PUT put DELETE delete OPTIONS options PATCH patch Patch PROPFIND lab *".split()
METHODS += "CONNECT trace Track".split()

# request headers with values at the edges of their rules
VALUES = {
    "Accept": ["*/*", "é", "a\tb", "x" * 128, "x" * 129, " a "],
    "Accept-Language": ["de, en;q=0.5", "a-z.Z*=0", "de_DE", "é", "a\tb", "a/b", "x" * 128, "x" * 129],
    "Content-Language": ["de", "a:b", "", "x" * 129],
    "Content-Type": ["text/plain", "Text/Plain; charset=UTF-8", "application/x-www-form-urlencoded ;a", "text", ""],
    "content-type": ["multipart/form-data; boundary=a", 'multipart/form-data; boundary="a"', "application/json"],
    "CONTENT-TYPE": ["text/plain, text/html", "text/plain/x", "text/ plain", "text/plain;,", "text/plain;" + "x" * 117],
    "Content-type": ["text/plain;" + "x" * 118],
    "Range": ["bytes=0-", "bytes=1-9", "bytes=7-7", "bytes=9-1", "bytes=-5", "bytes=1-2,4-5", "Bytes=0-", "bytes 0-"],
    "range": ["bytes= 0-", "bytes=-", "bytes=0- ", "items=0-", "bytes=0-1x", "bytes=00-01"],
    "X-Lab": ["1", "", "x" * 2000],
    "Authorization": ["Bearer lab"],
    "*": ["1"],
    "If-Match": ['"1"'],
    "Cache-Control": ["no-cache"],
    "X-HTTP-Method": ["PUT", "trace", "PUT,\tTRACK", "TRACES", ""],
    "X-HTTP-Method-Override": ["DELETE", "connect"],
    "x-method-override": ["PATCH", "TRACE, GET"],
    "accept": [f"a{chr(n)}b" for n in range(1, 32) if n not in (9, 10, 13)] + [*'"():<>?@[\\]{}\x7f\x80ÿ!#'],
}
# headers that browsers set, and that a script may set too
VALUES |= {name: ["lab", "2", "on", "4g"] for name in "Device-Memory DPR Width RTT Downlink ECT Save-Data".split()}
VALUES |= {name: ["lab"] for name in "User-Agent Intervention Priority Purpose Pragma If-None-Match Lab-Sec".split()}
# forbidden headers, and similar names
VALUES |= {
    name: ["lab"]
    for name in """Accept-Charset Accept-Encoding Access-Control-Request-Headers Access-Control-Request-Lab Connection
    Content-Length Cookie Cookie2 Date DNT Expect Host Keep-Alive Origin Referer Set-Cookie TE Trailer Upgrade Via
    Transfer-Encoding Access-Control-Request-Method Proxy-Lab Sec-Lab proxy- SEC-CH-UA""".split()
}
HEADERS = [f"{name}: {value}" for name, values in VALUES.items() for value in values]
HEADERS += ["X-B: 1 | x-a: 1 | Accept: a | X-b: 2", "Cookie: a=b | Range: bytes=-1", "X-Lab: 1 | Authorization: x"]
HEADERS += ["Accept: a | Accept: ("]
HEADERS += ["Accept: a | Accept-Language: de | Content-Language: de | Content-Type: text/plain"]
# 1024 bytes and more. With standard names this needs repetition, which Chromium handles differently
LONG = [f"{name}: {'1' * 128}" for name in "Accept Accept-Language Content-Language Intervention DPR".split()]
LONG += [f"{name}: {'1' * 128}" for name in "Width RTT Downlink".split()]
HEADERS += [" | ".join(LONG), " | ".join([*LONG, "Device-Memory: 1"]), " | ".join([*LONG[:1] * 8, "Range: bytes=0-"])]

GOOD = "Origin: PAGE | Credentials: true"
ORIGINS = ["Origin: PAGE", "Origin: *", "", "Origin: ", "Origin: null", "Origin: PAGE/", "Origin: PAGE0", "Origin: **"]
ORIGINS += ["Origin: HTTP://LOCALHOST", "Origin: http://localhost", "Origin: http://localhost:*", "Origin: \t PAGE "]
ORIGINS += ["Origin: PAGE PAGE", "Origin: PAGE, PAGE", "Origin: *, PAGE", "Origin: PAGE,", "Origin: * | Origin: *"]
ORIGINS += ["Origin: PAGE | Origin: PAGE", "Origin: | Origin: PAGE", "Origin: PAGE | Origin: http://localhost"]
ORIGINS += ["access-control-ALLOW-origin: PAGE"]
FLAGS = ["", "Credentials: true", "Credentials: True", "Credentials: TRUE", "Credentials: false", "Credentials: 1"]
FLAGS += ["Credentials: true, true", "Credentials: true | Credentials: true", "Credentials:  true\t", "Credentials: "]
STATUSES = [200, 201, 204, 226, 299, 300, 304, 400, 401, 403, 404, 405, 418, 500, 502]
PLACES = ["/there", "https://localhost/", ""]
METHOD_LISTS = ["", "PUT", "put", "*", "GET,PUT", ",PUT ,\t,", " PUT\t", "PUT GET", "PUT;GET", '"PUT"', "PUT, ("]
METHOD_LISTS += ["PUT,", "*, GET", "GET | Methods: PUT", "GET | Methods: ", "PÜT, PUT", "PUT | Methods: /"]
NAME_LISTS = ["", "x-lab", "X-LAB", "*", "a,x-lab", ",x-lab ,\t,", "x-lab a", "x-lab; a", '"x-lab"', "x-lab, a:b"]
NAME_LISTS += ["*, a", "a | Headers: x-lab", "a | Headers: ", "x-lab, ü", "x-lab | Headers: @", "x-lab,"]
EXPOSED = ["", "*", "X-Lab", "x-LAB, not-there", "*, ETag", "Set-Cookie, Set-Cookie2", "X-Lab ETag", "X-Lab, ("]
EXPOSED += ["X-Lab,", ",X-Lab ,\t,", '"X-Lab"', "Content-Type", "ü, X-Lab"]
EXPOSED += ["ETag | Expose: X-Lab", "X-Lab | Expose: /", "* | Expose: *"]
READ = "X-Lab: 1 | X-Lab: 2 | ETag: x | Set-Cookie: a=b; Max-Age=0 | Set-Cookie2: a=b | Pragma: x | Vary: Origin"
READ += " | Content-Type: text/plain | Content-Language: de | Expires: 0 | Last-Modified: x | Cache-Control: no-store"


def build_rule_cases(credentials: bool) -> list[Case]:
    """Return cases in which one value is at the edge of a rule or breaks it."""
    good = (200, GOOD)

    def put(preflight: str, reply: tuple[int, str] = good, status: int = 200) -> Case:
        return Case("PUT", "", credentials, (status, preflight), reply)

    cases = [
        Case(method, "", credentials, (204, f"{GOOD} | Methods: {listed}"), good)
        for method in METHODS
        for listed in ("GET", method, method.upper(), method.lower(), "*")
    ]
    for headers in HEADERS:
        names = ", ".join(line.partition(": ")[0] for line in headers.split(" | "))
        for listed in (names, names.upper(), "*", "X-Other", "*, Authorization"):
            cases.append(Case("GET", headers, credentials, (204, f"{GOOD} | Headers: {listed}"), good))
    answers = [f"{origin} | {flag}" for origin in ORIGINS for flag in FLAGS[:2]]
    for answer in answers + [f"{origin} | {flag}" for origin in ORIGINS[:2] for flag in FLAGS[2:]]:
        cases.append(put(f"{answer} | Methods: PUT"))
        cases.append(put(f"{GOOD} | Methods: PUT", (200, answer)))
        cases.append(Case("GET", "", credentials, reply=(200, answer)))
    for status in STATUSES:
        cases.append(put(f"{GOOD} | Methods: PUT", status=status))
        cases.append(put(f"{GOOD} | Methods: PUT", (status, GOOD)))
    for status in (301, 302, 303, 307, 308):
        cases += [put(f"{GOOD} | Methods: PUT | Location: {place}", status=status) for place in PLACES]
    cases += [put(f"{GOOD} | Methods: {listed}") for listed in METHOD_LISTS]
    cases += [Case("GET", "X-Lab: 1", credentials, (200, f"{GOOD} | Headers: {names}"), good) for names in NAME_LISTS]
    cases += [Case("GET", "", credentials, reply=(200, f"{GOOD} | {READ} | Expose: {names}")) for names in EXPOSED]
    return cases


def build_mixed_cases(count: int) -> list[Case]:
    """Return random combinations with a fixed seed."""
    choose = random.Random(20261124).choice
    methods, names = [*METHOD_LISTS, "DELETE, PATCH"], [*NAME_LISTS, "Content-Type"]

    def answer() -> str:
        origin, flag = choose([*ORIGINS[:2], choose(ORIGINS)]), choose([FLAGS[1], choose(FLAGS)])
        return f"{origin} | {flag} | Methods: {choose(methods)} | Headers: {choose(names)} | Expose: {choose(EXPOSED)}"

    return [
        Case(
            choose(METHODS),
            choose(["", "X-Lab: 1", "Content-Type: application/json", choose(HEADERS)]),
            choose([False, True]),
            (choose([200, 204, choose(STATUSES)]), answer()),
            (choose([200, choose(STATUSES)]), f"{answer()} | {READ}"),
        )
        for _ in range(count)
    ]


CASES = list(
    dict.fromkeys([*build_rule_cases(credentials=False), *build_rule_cases(credentials=True), *build_mixed_cases(400)])
)
