"""Apply the edits of an explanation. Only their fields `place` and `set` are used."""

import ast
import json
import re
from pathlib import Path
from typing import Any, NamedTuple


class State(NamedTuple):
    """The environment and the request of the page, which edits can change besides files."""

    environment: dict[str, str]
    origin: str
    method: str
    url: str
    headers: dict[str, str]
    credentials: bool


def apply(edits: list[dict[str, str]], folder: Path, state: State) -> State:
    """Apply each edit in the folder of a situation and return the new state."""
    for edit in edits:
        place, line = edit["place"], edit["set"]
        if place == "page":
            state = change_page(state, json.loads(line))
        elif place == "environment":
            name, _, value = line.partition("=")
            state = state._replace(environment={**state.environment, name: value})
        elif found := re.fullmatch(r"(.+\.py):([0-9]+)", place):
            file = folder / found[1]
            file.write_text(change_line(file.read_text("utf-8"), int(found[2]), line), "utf-8")
        elif place.endswith(".py"):
            file = folder / place
            file.write_text(add_line(file.read_text("utf-8"), line), "utf-8")
        else:
            set_variable(folder / place, line)
    return state


def change_page(state: State, changes: dict[str, Any]) -> State:
    """Change the request of the page or its origin."""
    headers = {**state.headers, **changes.pop("headers", {})}
    headers = {name: value for name, value in headers.items() if value is not None}
    return state._replace(headers=headers, **changes)


def set_variable(file: Path, line: str) -> None:
    """Write `NAME=value` into a settings file and replace an earlier value."""
    name = line.partition("=")[0]
    assert re.fullmatch("[A-Z_]+", name), line
    lines = file.read_text("utf-8").splitlines()
    kept = [other for other in lines if not other.startswith(f"{name}=")]
    file.write_text("\n".join([*kept, line]) + "\n", "utf-8")


def change_line(source: str, number: int, line: str) -> str:
    """Set the arguments of the call at a line, or write a statement there."""
    lines = source.splitlines()
    old = lines[number - 1]
    indent = old[: len(old) - len(old.lstrip())]
    if re.fullmatch(r"[a-z_]+=.*", line):
        line = f"call({line})"
    new = ast.parse(line.removeprefix("@")).body[0]
    if isinstance(new, ast.Expr) and isinstance(new.value, ast.Call):
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.lineno == number]
        name = ast.unparse(new.value.func)
        calls = [call for call in calls if name in ("call", ast.unparse(call.func))]
        if calls:
            return set_arguments(lines, max(calls, key=lambda call: call.end_lineno or 0), new.value)
        assert line.startswith("@"), f"no call {name}(…) is in line {number}"
        return join([*lines[: number - 1], indent + line, *lines[number - 1 :]])
    assert isinstance(new, ast.Assign), line
    replaced = old.lstrip().startswith(ast.unparse(new.targets[0]).replace("'", '"'))
    return join([*lines[: number - replaced], indent + line, *lines[number:]])


def set_arguments(lines: list[str], call: ast.Call, new: ast.Call) -> str:
    """Replace the values of keyword arguments in a call."""
    given = {keyword.arg: keyword.value for keyword in (*call.keywords, *new.keywords)}
    arguments = [*map(ast.unparse, call.args), *(f"{name}={ast.unparse(value)}" for name, value in given.items())]
    text = f"{ast.unparse(call.func)}({', '.join(arguments)})"
    first, last = call.lineno - 1, (call.end_lineno or 0) - 1
    before, after = lines[first][: call.col_offset], lines[last][call.end_col_offset :]
    return join([*lines[:first], before + text + after, *lines[last + 1 :]])


def add_line(source: str, line: str) -> str:
    """Write `cors(blueprint, …)` below the blueprint. An import before it goes to the top."""
    *imports, statement = line.split("; ")
    tree = ast.parse(source)
    [name] = re.findall(r"\(([a-z_]+)", statement)[:1]
    made = [node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name]
    lines = source.splitlines()
    end = made[0].end_lineno or 0
    return join([*imports, *lines[:end], statement, *lines[end:]])


def join(lines: list[str]) -> str:
    """Join lines to the text of a file."""
    return "\n".join(lines) + "\n"
