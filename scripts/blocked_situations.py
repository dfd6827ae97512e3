"""Situations in which a browser blocks a request, or leaves the cookie out: the data of docs/blocked-by-cors.md."""

import socket
from dataclasses import dataclass, field
from typing import Any, NamedTuple

PAGE, API, LAB = "http://localhost:5173", "http://localhost:8000", "http://localhost:8000/api/lab"
NUMBER, HTTP, HTTPS = "http://127.0.0.1:5173", "http://app.example.com", "https://app.example.com"
FINE = f"200 | Origin: {PAGE} | Credentials: true"
LISTS = f"{FINE} | Methods: PUT | Headers: Content-Type"
GO = FINE.replace("200", "302")


class Text(NamedTuple):
    """A text that does not come from the code, in both languages."""

    english: str = ""
    chinese: str = ""


NOTHING = Text()


@dataclass(frozen=True)
class Situation:
    """What a page sends beside GET with cookies, and what is answered. The answer to a preflight comes first."""

    answers: tuple[str | Exception, ...] = ()
    sent: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)
    example: Text = NOTHING


class Entry(NamedTuple):
    """A message of Chromium, the situations that lead to it, and what the code cannot know."""

    seen: str
    situations: tuple[Situation, ...]
    note: Text = NOTHING


class Group(NamedTuple):
    """Entries under one heading."""

    heading: Text
    entries: tuple[Entry, ...]


DEPLOYED = {"url": "https://api.example.com/api/lab", "origin": HTTPS}
ELSEWHERE = {"url": "https://api.example.org/weather", "credentials": False}
BEHIND_NGINX = Text("behind nginx", "前面有 nginx")

LOCAL_NETWORK = "Permission was denied for this request to access the … address space."
GROUPS = (
    Group(
        Text("Messages after `blocked by CORS policy:`", "`blocked by CORS policy:` 之后的报错"),
        (
            Entry(
                "No 'Access-Control-Allow-Origin' header is present on the requested resource.",
                (
                    Situation(
                        ("200",),
                        {"origin": "http://localhost:5174"},
                        example=Text(
                            "The port differs, here `http://localhost:5174`", "端口不同，如 `http://localhost:5174`"
                        ),
                    ),
                    Situation(
                        ("403",),
                        {"method": "PUT", "origin": NUMBER},
                        example=Text(
                            "The host differs, here `http://127.0.0.1:5173`", "域名不同，如 `http://127.0.0.1:5173`"
                        ),
                    ),
                    Situation(
                        ("200",),
                        {"origin": "null"},
                        example=Text("The message says `from origin 'null'`", "报错中有 `from origin 'null'`"),
                    ),
                    Situation(
                        ("404",),
                        {"url": f"{API}/api/labs"},
                        example=Text("The path is wrong, here `/api/labs` (404)", "路径写错，如 `/api/labs`（404）"),
                    ),
                    Situation(
                        ("200",),
                        {"url": f"{API}/api/weather"},
                        example=Text(
                            "The blueprint has no policy, here `weather`", "蓝图没有声明跨域策略，如 `weather`"
                        ),
                    ),
                    Situation(
                        ("502 | Server: nginx",),
                        DEPLOYED,
                        {"origins": [HTTPS]},
                        Text("The status is 502 at `https://api.example.com`", "`https://api.example.com` 返回 502"),
                    ),
                ),
            ),
            Entry(
                "Request header field … is not allowed by Access-Control-Allow-Headers in preflight response.",
                (
                    Situation(
                        (LISTS,), {"headers": [("X-Lab", "1")]}, example=Text("the header `X-Lab`", "请求头 `X-Lab`")
                    ),
                ),
            ),
            Entry(
                "Method … is not allowed by Access-Control-Allow-Methods in preflight response.",
                (Situation((LISTS,), {"method": "DELETE"}),),
            ),
            Entry(
                "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' "
                "when the request's credentials mode is 'include'.",
                (
                    Situation(
                        ("200 | Origin: *",),
                        policy={"origins": ["*"], "credentials": False},
                        example=Text('Line 7 has `origins=["*"]`', '第 7 行是 `origins=["*"]`'),
                    ),
                    Situation(
                        ("200 | Origin: * | Server: nginx",),
                        DEPLOYED,
                        {"origins": [HTTPS]},
                        Text("`https://api.example.com` is behind nginx", "`https://api.example.com` 前面有 nginx"),
                    ),
                ),
            ),
            Entry(
                "The value of the 'Access-Control-Allow-Credentials' header in the response is '' which must be 'true' "
                "when the request's credentials mode is 'include'.",
                (
                    Situation(
                        (f"200 | Origin: {PAGE}",),
                        policy={"credentials": False},
                        example=Text("line 7 without `credentials=True`", "第 7 行没有 `credentials=True`"),
                    ),
                ),
            ),
            Entry(
                "The 'Access-Control-Allow-Origin' header has a value '…' that is not equal to the supplied origin.",
                (Situation((f"200 | Origin: {HTTPS}",), ELSEWHERE),),
            ),
            Entry(
                "The 'Access-Control-Allow-Origin' header contains multiple values '…', but only one is allowed.",
                (
                    Situation(
                        (f"200 | Origin: {HTTPS} | Origin: {HTTPS} | Server: nginx",),
                        DEPLOYED,
                        {"origins": [HTTPS]},
                        BEHIND_NGINX,
                    ),
                ),
            ),
            Entry(
                "Redirect is not allowed for a preflight request.",
                (
                    Situation(
                        ("301 | Location: https://api.example.com/api/lab | Server: nginx",),
                        {"method": "PUT", "url": "http://api.example.com/api/lab", "credentials": False},
                        example=BEHIND_NGINX,
                    ),
                ),
            ),
            Entry(
                "It does not have HTTP ok status.", (Situation(("405 | Origin: *",), {**ELSEWHERE, "method": "PUT"}),)
            ),
            Entry(
                "Cross origin requests are only supported for protocol schemes: …",
                (Situation(sent={"url": "localhost:8000/api/lab"}),),
            ),
            Entry(
                LOCAL_NETWORK,
                (Situation(sent={"origin": HTTP}),),
                Text(
                    "A deployed page that still calls `localhost`: build it with `VITE_API_URL=https://api.example.com`.",
                    "如果已上线的前端仍在访问 `localhost`，请设置 `VITE_API_URL=https://api.example.com` 后重新构建。",
                ),
            ),
        ),
    ),
    Group(
        Text("Messages without “CORS”", "没有“CORS”字样的报错"),
        (
            Entry("net::ERR_CONNECTION_REFUSED", (Situation(),)),
            Entry(
                "Mixed Content: The page at '…' was loaded over HTTPS, but requested an insecure …",
                (Situation(sent={"origin": HTTPS, "url": "http://api.example.com/api/lab"}),),
            ),
            Entry(
                "net::ERR_NAME_NOT_RESOLVED",
                (Situation((socket.gaierror(),), {"url": "http://api:8000/api/lab"}),),
            ),
            Entry(
                "String contains non ISO-8859-1 code point.",
                (
                    Situation(
                        sent={"headers": [("X-Lab", "实验")]},
                        example=Text("`X-Lab: 实验`", "`X-Lab: 实验`"),
                    ),
                ),
            ),
        ),
    ),
    Group(
        Text("No message, but 401 after the sign-in", "没有报错，但登录之后仍返回 401"),
        (
            Entry(
                "",
                (
                    Situation(
                        (FINE.replace("200", "401"),),
                        {"credentials": False},
                        example=Text("The call sends no cookies", "请求没有携带 Cookie"),
                    ),
                    Situation(
                        (FINE.replace(PAGE, NUMBER),),
                        {"origin": NUMBER},
                        {"origins": [PAGE, NUMBER]},
                        Text("`http://127.0.0.1:5173` is allowed too", "`http://127.0.0.1:5173` 也在允许的源之中"),
                    ),
                ),
            ),
        ),
    ),
    Group(
        Text("Rare messages", "少见的报错"),
        (
            Entry("'…' HTTP method is unsupported.", (Situation(sent={"method": "TRACE"}),)),
            Entry("net::ERR_TOO_MANY_REDIRECTS", (Situation((f"{GO} | Location: /api/lab",) * 21),)),
            Entry(
                "Cannot parse Access-Control-Allow-… response header field in preflight response.",
                (
                    Situation(("200 | Origin: * | Methods: [PUT]",), {**ELSEWHERE, "method": "PUT"}),
                    Situation(("200 | Origin: * | Headers: [X-Lab]",), {**ELSEWHERE, "method": "PUT"}),
                ),
            ),
        ),
    ),
)
# the messages in consoles and exceptions of Chromium
MESSAGES = [entry.seen for group in GROUPS for entry in group.entries if entry.seen]
