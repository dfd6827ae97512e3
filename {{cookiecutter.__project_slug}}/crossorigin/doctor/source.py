"""Find what writes CORS headers in the source of an application. The source is read, not run."""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from flask import Flask

from ..declare import shorten_path
from ..setup import get_codes

CROSSORIGIN = Path(__file__).parent.parent
PREFIX = "access-control-allow-"


class Writer(NamedTuple):
    """A place that writes CORS headers, with a call of flask-cors or with the name of a header."""

    place: str  # file:line
    call: str  # as far as its positional arguments, for example "CORS(app"
    options: dict[str, ast.expr]  # its other arguments
    header: str = ""  # in lower case


def read_source(app: Flask) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the files of an application, from its package or else its loaded modules."""
    root = Path(app.root_path)
    loaded = [Path(getattr(module, "__file__", None) or ".") for module in list(sys.modules.values())]
    for file in sorted(root.rglob("*.py") if (root / "__init__.py").exists() else set(loaded)):
        inside = root in file.parents and CROSSORIGIN not in file.parents
        if inside and file.suffix == ".py" and "site-packages" not in file.parts:
            yield file, ast.parse(file.read_bytes())


def find_writers(app: Flask) -> list[Writer]:
    """Return the calls of flask-cors, and the places where headers are written by hand."""
    nodes = [(shorten_path(str(file)), node) for file, tree in read_source(app) for node in ast.walk(tree)]
    made = [node for _, node in nodes if isinstance(node, ast.Assign) and _get_function(node.value) == "CORS"]
    names = {f"{ast.unparse(target)}.init_app" for node in made for target in node.targets}
    found = []
    for file, node in nodes:
        if isinstance(node, ast.Constant) and str(node.value).lower().startswith(PREFIX):
            found.append(Writer(f"{file}:{node.lineno}", "", {}, str(node.value).lower()))
        elif isinstance(node, ast.Call) and (node.args or node.keywords or _get_function(node) != "CORS"):
            function = ast.unparse(node.func)
            if function in names or _get_function(node) in ("CORS", "cross_origin"):
                call = f"{function}({', '.join(map(ast.unparse, node.args))}"
                options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
                found.append(Writer(f"{file}:{node.lineno}", call, options))
    return found


def _get_function(node: ast.expr) -> str:
    """Return the last part of the name of the function that an expression calls."""
    return ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""


def read_names(app: Flask) -> set[str]:
    """Return the texts and names in an application's source, with _ for -, except in `expose_headers`."""
    # a header can be set by a text ("X-Pagination"), an attribute (`retry_after`) or a function (`set_etag`)
    found: set[str] = set()
    for _, tree in read_source(app):
        text = re.sub(r"expose_headers=\[.*?\](?=[,)\n])", "", ast.unparse(tree))
        found |= set(re.findall(r"\w+", text.lower().replace("-", "_")))
    return found


def read_libraries() -> str:
    """Return the source of Flask, werkzeug and the extensions that are loaded, in lower case."""
    loaded = {name: getattr(module, "__file__", None) or "." for name, module in list(sys.modules.items())}
    names = filter(re.compile(r"(flask|werkzeug)(_\w+)?(\.|\Z)").match, loaded)
    files = {Path(loaded[name]) for name in names}
    return "".join(file.read_text("utf-8").lower() for file in files if file.suffix == ".py")


def find_view_writer(app: Flask, endpoint: str) -> str:
    """Return "flask-cors", "by hand" or "", for what writes CORS headers in a view."""
    codes = list(get_codes(app.view_functions[endpoint]))
    if any("flask_cors" in code.co_filename for code in codes):
        return "flask-cors"
    return "by hand" if any(PREFIX in repr(code.co_consts).lower() for code in codes) else ""


def find_view(app: Flask, endpoint: str) -> tuple[str, int, int]:
    """Return the file of a view, its first line, decorators included, and the line of its def."""
    function = inspect.unwrap(app.view_functions[endpoint])
    code = getattr(function, "__code__", None)
    if code is None:
        return endpoint, 0, 0
    lines, first = inspect.getsourcelines(function)
    decorators = next((n for n, line in enumerate(lines) if re.match(r"\s*(async )?(def|class) ", line)), 0)
    return shorten_path(code.co_filename), first, first + decorators
