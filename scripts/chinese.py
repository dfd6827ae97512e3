"""The messages of the code in Chinese, for the page about blocked requests.

A message consists of statements. Each has a pattern here, and its values stay as they are.
"""

import re
from functools import cache

BOUNDARY = re.compile(r"\. |; |\.\Z|(?<=\?)\Z")
MARKS = {". ": "。", ".": "。", "; ": "；", "": ""}
VALUE = r"[^\s()]+?"
KINDS = {  # of values that may have spaces
    "axios": r"withCredentials: \w+",
    "command": r"[a-z. ]+",
    "fetch": r"credentials: '\w+'",
    "line": r"\w+=(?:\[.*\]|\S+)",
    "list": r".+?",
    "part": r"\w+",
}
PARTS = {"scheme": "协议", "host": "域名", "port": "端口"}
STATEMENTS = {
    # fixes
    "{file}: {line} ({origin} is allowed. Yours differs in the {part})": (
        "在 {file} 中写 {line}（{origin} 已在允许之列，你的源只是{part}与它不同）"
    ),
    "then restart": "然后重启",
    "open the page at {origin} ({allowed} is allowed. Yours differs in the {part})": (
        "用 {origin} 打开页面（{allowed} 已在允许之列，你的源只是{part}与它不同）"
    ),
    "open the page at {origin} ({command})": "运行 {command}，用 {origin} 打开页面",
    "A file or a sandboxed frame has the origin null": "双击打开的 HTML 文件和沙箱中的 iframe，源都是 null",
    "in the page's call: perhaps {path}": "前端请求的路径也许应该是 {path}",
    "no route or policy has the path {path}": "{path} 没有对应的路由和策略",
    "{file}: from crossorigin import cors; cors({list})": "在 {file} 中写 from crossorigin import cors; cors({list})",
    "start the API behind the server in front that answered {status} (Server: {server})": (
        "启动反向代理（Server: {server}，返回 {status}）后面的 API"
    ),
    "A change in this project does not help": "修改本项目解决不了这个问题",
    "{place}: {line}": "在 {place} 中写 {line}",
    "or {place}: {line}": "或在 {place} 中写 {line}",
    "Then {place}: {line}": "然后在 {place} 中写 {line}",
    "or {place}: credentials=True, origins=[…] with the origins of your pages": (
        "或在 {place} 中写 credentials=True, origins=[…]，列出各个前端的源"
    ),
    "{file}: add a route with {line}": "在 {file} 中添加带有 {line} 的路由",
    "the policy allows the methods of the routes": "策略允许哪些方法，由各路由的方法决定",
    "in the page's call: {axios} (axios), {fetch} (fetch)": "在前端的请求中写 {axios}（axios）或 {fetch}（fetch）",
    "in the page's call: {axios} (axios), {fetch} (fetch) for the session cookie": (
        "在前端的请求中写 {axios}（axios）或 {fetch}（fetch），这样才会携带会话 Cookie"
    ),
    "in the server in front that answered {status} (Server: {server}): remove what writes {header} (nginx: {name})": (
        "在 API 前面的反向代理（Server: {server}，返回 {status}）中删除写入 {header} 的配置（nginx：{name}）"
    ),
    "The API writes its own": "API 自己会写入这个响应头",
    "ask the owner of {api} to send {header}: {value}": "请 {api} 的维护者在响应中加上响应头 {header}: {value}",
    "{header}: {value}, and 204 for OPTIONS": "以及 {header}: {value}，并对预检请求返回 204",
    "or call it from your API instead of the page": "或者让你的 API 代为请求，前端不直接访问它",
    "If {api} is this API, write {file}: {line}": "如果 {api} 就是本项目的 API，请在 {file} 中写 {line}",
    "in the page's call: {url}, where the redirect leads": "让前端直接请求重定向的目标 {url}",
    "write {url}": "写成 {url}",
    "open the page over https or in the API's network, and allow what the browser asks for": (
        "用 https 打开页面，或在 API 所在的网络中打开，并在浏览器弹出询问时选择允许"
    ),
    "start the server ({command}), or use the address where it runs": (
        "启动服务（{command}），或者改用服务实际所在的地址"
    ),
    "serve the API over https": "让 API 支持 https",
    "call the address that the container publishes, for example {url}": "改用容器对外发布的地址，如 {url}",
    "in the page's call: encode {header} with encodeURIComponent, and decode it in the view with {function}": (
        "前端用 encodeURIComponent 编码 {header} 的值，视图函数用 {function} 解码"
    ),
    "in the page's call: another method": "换用其他方法",
    "browsers do not send this one": "浏览器不会发送这种方法",
    "in the server that answers at {url}: remove the redirect to {target}": (
        "在 {url} 所在的服务器上，去掉指向 {target} 的重定向"
    ),
    # causes
    "{header} is missing, so a page of another origin cannot read the response": (
        "缺少响应头 {header}，所以其他源的页面不能读取响应"
    ),
    "{header} is missing": "缺少响应头 {header}",
    "{header} has {list}, but not '{name}'": "{header} 中有 {list}，没有 '{name}'",
    "{header} is '*', but a request with credentials needs the exact origin": (
        "{header} 是通配符 '*'，而对附带身份凭证的请求，它必须是页面的源"
    ),
    "A request with credentials needs exactly 'true'": "对附带身份凭证的请求，它的值必须是 'true'，一字不差",
    "{header} is '{value}', but the origin is '{origin}'": "{header} 是 '{value}'，而页面的源是 '{origin}'",
    "{header} is '{list}'": "{header} 是 '{list}'",
    "Only one value is allowed": "这个响应头只能有一个值",
    "Perhaps two layers write it": "可能是两处都写入了它",
    "The response is {status}, a redirect to {url}": "响应是 {status}，重定向到 {url}",
    "Browsers do not follow a redirect of a preflight": "浏览器不跟随预检请求的重定向",
    "The status of the preflight is {status}": "预检请求的响应状态码是 {status}",
    "It must be 200 to 299": "它必须在 200 到 299 之间",
    "'{url}' has no scheme": "'{url}' 没有写协议",
    "The API is in the visitor's network, but the page is not": "API 在访问者的本地网络中，而页面不在",
    "Chromium blocks pages without https (Local Network Access)": (
        "Chrome 和 Edge 会拦截非 https 页面发出的这类请求（本地网络访问，Local Network Access）"
    ),
    "No header helps": "加什么响应头都没有用",
    "Nothing answers at {url}": "{url} 上没有服务在运行",
    "An https page may not call {url} (mixed content)": "https 页面不能访问 {url}（混合内容，mixed content）",
    "The name '{host}' is unknown": "无法解析域名 '{host}'",
    "Perhaps only containers know it": "可能只有容器之间才能解析它",
    "Header values must be Latin-1, but {header} has other characters": (
        "请求头的值只能用 Latin-1 字符，而 {header} 中有其他字符（如汉字）"
    ),
    "{page} and {api} are two sites, and the cookie is {attribute}": (
        "{page} 和 {api} 不是同一个站点，而 Cookie 是 {attribute}"
    ),
    "Use one host name for both": "前端和 API 的地址请使用同一个域名",
    "Browsers do not let a page send {method}": "浏览器不允许页面发送 {method}",
    "There are more than {number} redirects, so the browser stops": "重定向超过 {number} 次，浏览器不再继续",
    "Separate names with commas": "各个名称之间用逗号分隔",
}


def translate(text: str) -> str:
    """Return a message in Chinese."""
    found = _translate(text)
    if found is None:
        raise LookupError(f"The message {text!r} has no Chinese. Add its pattern to STATEMENTS in scripts/chinese.py.")
    return found


def _translate(text: str) -> str | None:
    """Return the first statement and the rest in Chinese, or None if one of them has no pattern."""
    for boundary in BOUNDARY.finditer(text):
        statement, rest = text[: boundary.start()], text[boundary.end() :]
        if statement.count("(") != statement.count(")"):
            continue
        chinese, more = _translate_statement(statement), _translate(rest) if rest else ""
        if chinese is not None and more is not None:
            return chinese + MARKS[boundary[0]] + more
    return None


def _translate_statement(text: str) -> str | None:
    for pattern, chinese in _patterns():
        if found := pattern.fullmatch(text):
            return chinese.format(**{name: PARTS.get(value, value) for name, value in found.groupdict().items()})
    return None


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    def group(found: re.Match[str]) -> str:
        return f"(?P<{found[1]}>{KINDS.get(found[1], VALUE)})"

    return [
        (re.compile(re.sub(r"\\\{(\w+)\\\}", group, re.escape(english))), chinese)
        for english, chinese in STATEMENTS.items()
    ]
