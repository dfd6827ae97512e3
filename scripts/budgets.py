"""Compare the default project with its budgets: `uv run python -m scripts.budgets` prints each number.

Empty lines do not count. Lock files, images, fonts and generated types do not count, neither as lines nor as files.
"""

import ast
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.baking import BakedProject, bake, template

UNCOUNTED = re.compile(r"(^|/)(\.env|[^/]*-lock\.json|uv\.lock)$|\.(png|ttf|d\.ts)$")
ISSUE = re.compile(r"#\d+|/issues/\d+")
PUBLIC = {"_asdict", "_exit", "_getframe", "_replace"}  # documented by Python
ROW = "{:<64} {:>7} {:>7}  {}"
# budgets that are exceeded, and the values that the test allows. A value may only shrink
ALLOWED = {
    "lines of the application": 1539,
    "files, without crossorigin/": 81,
    "lines, without crossorigin/": 4699,
    "lines of crossorigin/": 2847,
}


class Budget(NamedTuple):
    """The name of a budget, the actual value, the maximum and a detail."""

    what: str
    found: int
    at_most: int
    detail: str = ""

    @property
    def is_kept(self) -> bool:
        """Return whether the value is within the budget."""
        return self.found <= self.at_most

    @property
    def is_allowed(self) -> bool:
        """Return whether the value is within the budget or its exception."""
        return self.found <= ALLOWED.get(self.what, self.at_most)


def main() -> None:
    """Bake the default project and print the table. Exit with 1 if a budget is exceeded."""
    with tempfile.TemporaryDirectory() as folder:
        budgets = list(measure(bake(Path(folder))))
    print(ROW.format("what", "found", "at most", ""))
    for budget in budgets:
        over = "" if budget.is_kept else "OVER"
        print(ROW.format(budget.what, budget.found, budget.at_most, f"{over} {budget.detail}".strip()))
    sys.exit(not all(budget.is_kept for budget in budgets))


def measure(project: BakedProject) -> Iterator[Budget]:
    """Yield each budget of a new project."""
    package = f"{project.package}/"
    counted = [name for name in project.files if not UNCOUNTED.search(name)]
    lines = {name: count_lines(project.read(name)) for name in counted}
    application = [n for n in counted if re.fullmatch(rf"{package}(?!migrations/).*\.py", n)]
    toolkit = [n for n in counted if n.startswith("crossorigin/") and n.endswith(".py")]
    rest = [n for n in counted if not n.startswith("crossorigin/")]
    functions = [(size, f"{n}: {f}") for n in application for f, size in measure_functions(project.read(n))]

    def count_total(names: list[str]) -> int:
        return sum(lines[name] for name in names)

    def get_longest_file(what: str, names: list[str], at_most: int) -> Budget:
        size, name = max(((lines[name], name) for name in names), default=(0, ""))
        return Budget(what, size, at_most, name)

    yield Budget("lines of the application", count_total(application), 1450)
    yield get_longest_file("lines of its longest file", application, 150)
    yield Budget("lines of its longest function", *_get_longest(functions, 40))
    yield Budget("lines of tests/", count_total([n for n in counted if n.startswith("tests/")]), 850)
    yield Budget("lines of the front end", count_total([n for n in counted if n.startswith("frontend/")]), 1300)
    yield Budget("files, without crossorigin/", len(rest), 80)
    yield Budget("lines, without crossorigin/", count_total(rest), 4500)
    yield Budget("lines of crossorigin/", count_total(toolkit), 2700)
    yield get_longest_file("lines of its longest file, crossorigin/", toolkit, 320)
    yield Budget("words of the README", len(project.read("README.md").split()), 1200)
    sources = {name: project.read(name) for name in application}
    yield Budget("own names that cross a module border in the application", len(find_crossing_names(sources)), 50)
    couplings = list(find_couplings(sources))
    yield Budget("couplings to private names of libraries", len(couplings), 2, ", ".join(c.where for c in couplings))
    unexplained = [c.where for c in couplings if not c.has_issue]
    yield Budget("couplings without an upstream issue in a comment", len(unexplained), 0, ", ".join(unexplained))
    yield Budget("control lines of the template", len(find_control_lines()), 40)
    yield Budget("questions", len(get_questions()), 9)


def _get_longest(functions: list[tuple[int, str]], at_most: int) -> tuple[int, int, str]:
    size, name = max(functions)
    return size, at_most, name


def count_lines(text: str) -> int:
    """Return the number of lines that are not empty."""
    return sum(bool(line.strip()) for line in text.splitlines())


def measure_functions(source: str) -> Iterator[tuple[str, int]]:
    """Yield the name of each function, and its lines without decorators."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, count_lines("\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno]))


def find_crossing_names(sources: dict[str, str]) -> set[str]:
    """Return the names that modules of the application import from each other."""
    nodes = [node for source in sources.values() for node in ast.walk(ast.parse(source))]
    return {f"{n.module}.{a.name}" for n in nodes if isinstance(n, ast.ImportFrom) and n.level for a in n.names}


class Coupling(NamedTuple):
    """A use of a private name of a library, and whether a comment there names an upstream issue."""

    where: str
    has_issue: bool


def find_couplings(sources: dict[str, str]) -> Iterator[Coupling]:
    """Yield each use of a private name that the application does not define itself.

    Such a name is imported, read from an object, given as a text, or defined in a subclass of a library's class.
    """
    trees = {name: ast.parse(source) for name, source in sources.items()}
    own = {name for tree in trees.values() for name in _find_definitions(tree)}
    for file, tree in trees.items():
        lines = sources[file].splitlines()
        uses = {
            name: line for line, name in sorted(_find_private_names(tree), reverse=True) if name not in own | PUBLIC
        }
        for name, line in uses.items():
            near = " ".join(lines[max(line - 4, 0) : line])
            yield Coupling(f"{file}:{line} {name}", bool(ISSUE.search(near)))


def _is_private(name: str) -> bool:
    return bool(re.fullmatch(r"_[A-Za-z]\w*", name))


def _find_definitions(tree: ast.AST) -> Iterator[str]:
    """Yield the private names that a module defines: functions, names and attributes.

    A method of a subclass does not count unless the class calls it, because the library may call it.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Module(body=body) | ast.ClassDef(bases=[], body=body):
                yield from (part.name for part in body if isinstance(part, ast.FunctionDef | ast.ClassDef))
            case ast.ClassDef(body=body):
                methods = {part.name for part in body if isinstance(part, ast.FunctionDef)}
                yield from methods & {
                    n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and _is_self_attribute(n)
                }
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()) if _is_self_attribute(node):
                yield name


def _is_self_attribute(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _find_private_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line of each private name that is imported, read, used as a string or overridden."""
    in_texts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        names: list[tuple[int, str]] = []
        match node:
            case ast.ImportFrom(names=imported, module=module):
                names = [(node.lineno, name) for name in [*(module or "").split("."), *(a.name for a in imported)]]
            case ast.Import(names=imported):
                names = [(node.lineno, part) for alias in imported for part in alias.name.split(".")]
            case ast.Attribute(attr=name):
                names = [(node.lineno, name)]
            case ast.Constant(value=str(name)) if id(node) not in in_texts:
                names = [(node.lineno, name)]
            case ast.ClassDef(bases=[_, *_], body=body):
                methods = [part for part in body if isinstance(part, ast.FunctionDef) and not part.decorator_list]
                names = [(part.lineno, part.name) for part in methods]
        yield from ((line, name) for line, name in names if _is_private(name))


@cache
def find_control_lines() -> tuple[str, ...]:
    """Return the lines of the template with a Jinja statement."""
    folder = template() / "{{cookiecutter.__project_slug}}"
    texts = [p.read_text("utf-8") for p in folder.rglob("*") if p.is_file() and p.suffix not in (".png", ".ttf")]
    return tuple(line for text in texts for line in text.splitlines() if "{%" in line)


@cache
def get_questions() -> tuple[str, ...]:
    """Return the names of the questions."""
    context = json.loads((template() / "cookiecutter.json").read_text("utf-8"))
    return tuple(name for name in context if not name.startswith("_"))


if __name__ == "__main__":
    main()
