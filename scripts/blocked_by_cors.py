"""Write the template's docs/blocked-by-cors.md from the messages of the code, in English and in Chinese.

Run `uv run python -m scripts.blocked_by_cors` after a change of a message. A test compares pages and code.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from click.testing import CliRunner

from scripts.blocked_situations import API, GROUPS, LAB, PAGE, Entry, Situation
from scripts.chinese import translate

from tests.crossorigin.conftest import FOLDER  # isort: skip (it makes `crossorigin` importable)

from crossorigin import Hints
from crossorigin.declare import KEY, Declaration, Policies
from crossorigin.doctor.browser import Response
from crossorigin.doctor.cli import MDN, commands
from crossorigin.doctor.trace import build_request, explain
from crossorigin.doctor.transport import Answer, describe_network_error
from crossorigin.policy import FromConfig, Policy
from flask import Blueprint, Flask

ALLOW = {name: f"Access-Control-Allow-{name}" for name in ("Origin", "Credentials", "Methods", "Headers")}
LINE = 'cors(lab, origins=FromConfig("FRONTEND_ORIGINS"), request_headers=["Content-Type"], credentials=True)'
# what is to be typed in texts of the code; quotation marks around a value are left out
CODE = re.compile(
    r"""
    [a-z]+\.py(?::\d+)? | \.env\b | \buv\ run\ dev\.py
    | from\ crossorigin\ import\ cors;\ cors\(.*?\) | \bcors\(…\)
    | \b[A-Z][A-Z_]+=[!-~]*\w | \b[a-z_]+=(?:\[.*?\]|True)(?:,\ [a-z_]+=\[.*?\])?
    | \bwithCredentials:\ \w+ | \bcredentials:\ '\w+'
    | Access-Control-[\w-]+(?::\ [\w:/.,-]*\w)?
    | (?<!\w)'([^']+)'(?!\w)
    | \b[a-z]+://[!-~]*[\w/]
    | (?<![\w`])/[a-z/]+\w
    | \b(?:GET|PUT|POST|DELETE|TRACE|OPTIONS)\b(?:\ /[a-z/]+)?
    | \bSameSite=\w+ | \bServer:\ \w+ | \b(?:null|[Cc]ontent-[Tt]ype|X-Lab)\b
    | \b(?:encodeURIComponent|urllib\.parse\.unquote|add_header)\b
    """,
    re.VERBOSE | re.ASCII,
)

HINTS = Hints(  # as in a generated project
    settings_file=".env",
    start_command="uv run dev.py",
    frontend_url=PAGE,
    api_url=API,
    hosts=["api.example.com"],
    production=False,
    api_url_setting="API_URL",
    cross_site_setting="CROSS_SITE_COOKIES=1",
    frontend_api_url_setting="VITE_API_URL",
)
GIVEN: dict[str, Any] = {"origins": [PAGE], "methods": None, "request_headers": [], "expose_headers": []}
GIVEN |= {"credentials": False, "max_age": None}


class Scripted:
    """A transport that returns the scripted responses of a situation in order."""

    address = ""

    def __init__(self, *answers: str | Exception) -> None:
        """Read the answers, for example "200 | Origin: *"."""
        self.left = [self.read(answer) if isinstance(answer, str) else answer for answer in answers]

    @staticmethod
    def read(text: str) -> Response:
        """Return the response that a text describes."""
        status, *lines = text.split(" | ")
        headers = (line.split(": ", 1) for line in lines)
        return Response(int(status), tuple((ALLOW.get(name, name), value) for name, value in headers))

    def send_preflight(self, request: Any) -> Response:
        """Give the next answer."""
        answer = self.left.pop(0) if self.left else ConnectionRefusedError()
        if isinstance(answer, Exception):
            raise describe_network_error(request.url, answer, HINTS.start_command)
        return answer

    def find_address(self, host: str) -> str | None:
        """Return a public address for every name."""
        return "8.8.8.8"

    def send(self, request: Any) -> Answer:
        """Give the next answer."""
        response = self.send_preflight(request)
        return Answer(response, response.status)


def lab(**options: Any) -> Flask:
    """Return an application with one policy, which is the same under every strategy."""
    app = Flask("lab", root_path="no-source")
    app.config.update(FRONTEND_ORIGINS=PAGE, API_URL=API)
    app.add_url_rule("/api/lab", "lab.lab", str, methods=["GET", "POST", "PUT"])
    given = {**GIVEN, "origins": FromConfig("FRONTEND_ORIGINS"), "credentials": True}
    given |= {"request_headers": ["Content-Type"], **options}
    origins = (PAGE,) if isinstance(given["origins"], FromConfig) else tuple(given["origins"])
    policy = Policy(
        *("/api/lab", "lab", "lab.py:7", origins),
        tuple(given["methods"] or ("GET", "HEAD", "POST", "PUT")),
        *(tuple(given[name]) for name in ("request_headers", "expose_headers")),
        given["credentials"],
    )
    policies = app.extensions[KEY] = Policies(hints=HINTS)
    policies.declarations.append(Declaration("/api/lab", "lab", "lab.py:7", given))
    policies.use([policy])
    return app


class Language(NamedTuple):
    """What the page of one language says around the texts of the code."""

    index: int  # of the language in a `Text`
    file: str
    head: str
    fix: str
    why: str
    why_in_example: str
    page: str
    comma: str
    case: str
    space: str  # between sentences
    columns: str


ENGLISH = Language(
    0,
    "blocked-by-cors.md",
    f"""# Blocked by CORS policy

    uv run flask cors explain GET /api/lab --origin http://localhost:5174 --credentials

This command names the cause and the line to write. Use your own method, path and origin. Leave out `--credentials` if
the call sends no cookies. Add `-H "Content-Type: application/json"` and each other header that it sets. Or search this
page for the words after `blocked by CORS policy:` in the console (F12).

JavaScript is not given the reason. axios reports only `Network Error` (`ERR_NETWORK`), and fetch `Failed to fetch` or,
in Firefox, `NetworkError when attempting to fetch resource.` The messages below are those of Chrome and Edge
(Chromium). Firefox has other texts, and its “Learn More” opens the MDN page that each entry links. `…` stands for a
value. The prefix `Response to preflight request doesn't pass access control check:` is left out. It means that the
preflight failed: the `OPTIONS` request that the browser sends first.

In the examples, a page of `{PAGE}` calls `{LAB}` with cookies,
unless an entry says otherwise. The routes have GET, POST and PUT. `.env` has `FRONTEND_ORIGINS={PAGE}`,
and line 7 of `lab.py` is:

    {LINE}
""",
    "Fix: {}",
    "Why: {}",
    "Why ({}): {}",
    "from {}",
    " ",
    "- {}. Fix: {}",
    " ",
    "| message | fix | why |",
)
CHINESE = Language(
    1,
    "{% if cookiecutter.chinese %}blocked-by-cors.zh-CN.md{% endif %}",
    f"""# 跨域请求被拦截（Blocked by CORS policy）

    uv run flask cors explain GET /api/lab --origin http://localhost:5174 --credentials

这条命令会说明原因，并指出要改哪一行。请换成自己的方法、路径和源（协议 + 域名 + 端口）；
请求不携带 Cookie 时，去掉 `--credentials`；请求设置了哪些请求头，就加上哪些，如 `-H "Content-Type: application/json"`。
也可以打开控制台（F12），用 `blocked by CORS policy:` 之后的文字在本页搜索。

CORS 即跨源资源共享，俗称跨域。浏览器不会把拦截的原因告诉 JavaScript：axios 只报 `Network Error`（`ERR_NETWORK`），
fetch 只报 `Failed to fetch`，Firefox 则是 `NetworkError when attempting to fetch resource.`。
下面是 Chrome 和 Edge 的报错，控制台里总是英文，`…` 代表具体的值。
Firefox 的报错不同，中文版以“已拦截跨源请求：同源策略禁止读取位于”开头，其中的“详细了解”就是每条末尾的 MDN 链接。
开头的 `Response to preflight request doesn't pass access control check:` 已经省略，
它表示没有通过的是预检请求，即浏览器在正式请求之前发送的 `OPTIONS`；简单请求不会触发预检请求。

除非另有说明，示例中 `{PAGE}` 的前端访问 `{LAB}`，并且是附带身份凭证（Cookie）的请求。
路由支持 GET、POST 和 PUT，`.env` 中有 `FRONTEND_ORIGINS={PAGE}`，`lab.py` 的第 7 行是：

    {LINE}

`.env` 和代码中的逗号、冒号和引号必须是半角的 `,`、`:`、`"`，不能是全角的 `，`、`：`、`“”`。
""",
    "修改建议：{}",
    "原因：{}",
    "原因（{}）：{}",
    "页面在 {}",
    "，",
    "- {}。修改建议：{}",
    "",
    "| 报错 | 修改建议 | 原因 |",
)
LANGUAGES = (ENGLISH, CHINESE)


class Explained(NamedTuple):
    """What the code says of a situation, and how its request differs from the one of the examples."""

    request: str
    origin: str
    fix: str
    why: str
    reason: str | None


def build_app(situation: Situation) -> Flask:
    """Return the application of the examples, with the policy of a situation, and with a blueprint without one."""
    app = lab(**situation.policy)
    module = sys.modules["weather"] = ModuleType("weather")
    weather = Blueprint("weather", "weather", root_path="no-source", url_prefix="/api/weather")
    vars(module).update(__file__="weather.py", weather=weather)
    weather.add_url_rule("", "weather", str)
    app.register_blueprint(weather)
    if situation.policy.get("origins") == ["*"]:

        @app.after_request
        def allow(response: Any) -> Any:
            response.headers[ALLOW["Origin"]] = "*"
            return response

    return app


def explain_situation(situation: Situation) -> Explained:
    """Return what the code says of a situation."""
    sent = {"method": "GET", "url": LAB, "origin": PAGE, "credentials": True, **situation.sent}
    if "://" not in sent["url"]:  # refused before it is a request
        command = ["explain", sent["method"], sent["url"], "--origin", sent["origin"]]
        why, _, fix = CliRunner().invoke(commands, command).output.rpartition("Error: ")[2].strip().partition("; ")
        return Explained("", "", fix, why, "CORSRequestNotHttp")
    request = build_request(**sent)
    found = explain(request, Scripted(*situation.answers), build_app(situation))
    why = next((step.detail.splitlines()[0] for step in reversed(found.steps) if not step.ok), "")
    other_page, other = request.origin != PAGE, (request.method, request.url, request.origin) != ("GET", LAB, PAGE)
    line, origin = f"`{request.method} {request.url}`" * other, f"`{request.origin}`" * other_page
    return Explained(line, origin, found.fix or "", why, found.reason)


def say(text: str, language: Language) -> str:
    """Return a text of the code in a language, with what is to be typed as code."""
    text = text if text.endswith((".", "?")) else f"{text}."
    return mark_code(translate(text) if language.index else text)


def mark_code(text: str) -> str:
    """Return a text with settings, lines of code, names of headers and URLs in code style."""
    return CODE.sub(lambda found: f"`{found[1] or found[0]}`", text)


def write_entry(entry: Entry, language: Language) -> Iterator[str]:
    """Yield the paragraphs of an entry, the fix first."""
    explained = [explain_situation(situation) for situation in entry.situations]
    examples = [situation.example[language.index] for situation in entry.situations]
    fixes = [say(found.fix, language) for found in explained]
    whys = [write_why(found, language) for found in explained]
    if entry.seen:
        yield f"### `{entry.seen}`"
    if len(fixes) == 1:
        yield language.space.join(filter(None, (language.fix.format(fixes[0]), entry.note[language.index])))
        page = explained[0].origin and language.page.format(explained[0].origin)
        example = language.comma.join(filter(None, (explained[0].request, page, examples[0])))
        yield language.why_in_example.format(example, whys[0]) if example else language.why.format(whys[0])
        return
    common = len(set(whys)) == 1
    cases = [
        language.case.format(example, fix if common else language.space.join(filter(None, (fix, why))))
        for example, fix, why in zip(examples, fixes, whys, strict=True)
    ]
    yield "\n".join(cases)
    if common:
        yield language.why.format(whys[0])


def write_why(found: Explained, language: Language) -> str:
    """Return why a request is blocked, with the link to MDN."""
    link = f"[{found.reason}]({MDN}{found.reason})" if found.reason else ""
    return language.space.join(filter(None, (found.why and say(found.why, language), link)))


def write_table(entries: tuple[Entry, ...], language: Language) -> str:
    """Return the entries as a table."""
    rows = [language.columns, "|---|---|---|"]
    for entry in entries:
        explained = [explain_situation(situation) for situation in entry.situations]
        whys = " ".join(write_why(found, language) for found in explained)
        rows.append(f"| `{entry.seen}` | {say(explained[0].fix, language)} | {whys} |")
    return "\n".join(rows)


def get_path(language: Language) -> Path:
    return FOLDER / "docs" / language.file


def document(language: Language) -> str:
    """Return the page in a language."""
    parts = [language.head.strip()]
    for group in GROUPS:
        parts.append(f"## {group.heading[language.index]}")
        if group is GROUPS[-1]:
            parts.append(write_table(group.entries, language))
        else:
            parts += [part for entry in group.entries for part in write_entry(entry, language)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    for language in LANGUAGES:
        get_path(language).write_text(document(language), "utf-8", newline="\n")
