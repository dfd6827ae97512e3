"""The words and shapes that made this project hard to read do not come back.

Readers come from many countries and search for the standard terms. A program cannot tell good English, but it can
find the words that were replaced, long sentences, and names that are not verbs.
"""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.baking import COMBINATIONS, BakedProject, template

WORDS = {  # a pattern, and what to write instead
    r"\bmisfits?\b": "inconsistent, checks",
    r"\bcures?\b": "fix",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"rehears": "dry run",
    r"counter-?proof": "without CORS, for comparison",
    r"\bforged\b": "CSRF",
    r"\bplanted\b": "session fixation",
    r"\bPATIENCE\b": "timeout",
    r"(?<!here )\bis no (?!longer\b)": "is not a",
    r"\b(is|are|was|were|be|been) told\b|\btells? nothing\b": "say what happens",
    r"without a word": "without a message",
    r"plays no part": "does not apply",
    r"worth nothing": "not valid",
    r"\bbelieve[sd]?\b": "trust",
    r"\bhostile answers?\b": "adversarial input",
    r"\bNoAnswer\b": "ConnectionFailed",
    r"\bwhich is none\b|\bis none of\b": "is not",
}
HERE = Path(__file__).name
SUFFIXES = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".ts", ".html", ".css", ".js", ".lua", ""}
GENERATED = {"package-lock.json", "figures.json", "api-types.d.ts"}
# the first words of a function's name
VERBS = set(
    """
    add allow answer append apply ask assert build call can change check choose close commit compile connect copy
    count create declare delete describe downgrade echo encode exchange exit expand explain expose fail fill find
    finish fix follow format get handle has hash ignore init install is join leads leave limit list listen load log
    look main make match migrate move needs normalize open parse prepare print process protect put quote raise read
    receive record refuse register remove replace report require reset resolve respond restore revoke run save say
    seed send sends serve set shorten should show sign skip sort spans split start stop store test try update upgrade
    use validate verify wait warn watch write yield
    """.split()
)
# public names that style or a library asks for, and the fields of the settings' schema
NOUNS = set(
    """
    as_dict choice cors cors_headers_writer etag_data now number origin_problem problem_response rate_limit
    rate_limit_response refusal response step text
    """.split()
)
MAX_WORDS = 40  # in a sentence of a page


def files(root: Path) -> Iterator[Path]:
    """Yield the files that people wrote."""
    for path in sorted(root.rglob("*")):
        is_tool = {".git", ".venv", "node_modules"} & set(path.relative_to(root).parts)
        is_written = path.name not in {*GENERATED, HERE} and "LICENSE" not in path.name
        if path.is_file() and path.suffix in SUFFIXES and is_written and not is_tool:
            yield path


@cache
def sources() -> dict[str, str]:
    """Return the text of each file of the template, by its path."""
    root = template()
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in files(root)}


@pytest.mark.parametrize(("word", "instead"), WORDS.items(), ids=list(WORDS.values()))
def test_replaced_words_stay_away(word: str, instead: str) -> None:
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in sources().items()
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(word, line)
    ]
    assert not found, f"Write {instead!r} instead:\n" + "\n".join(found)


def modules(get_baked: Callable[[str], BakedProject]) -> Iterator[tuple[str, ast.Module]]:
    """Yield each module of the template's own code, and of the projects."""
    for name, text in sources().items():
        if name.endswith(".py") and not name.startswith("{{"):
            yield name, ast.parse(text)
    yield from project_modules(get_baked)


def project_modules(get_baked: Callable[[str], BakedProject]) -> Iterator[tuple[str, ast.Module]]:
    """Yield each module of the default project, and the other variant of one."""
    for combination in ("default", "interceptor-without-front-end"):
        project = get_baked(combination)
        names = [name for name in project.files if name.endswith(".py")]
        for name in names if combination == "default" else [f"{project.package}/cors_headers.py"]:
            yield f"{combination}: {name}", ast.parse(project.read(name))


def docstrings(module: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield each docstring of a module with what it describes."""
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text is not None:
                yield node, text


def test_a_docstring_makes_one_statement_a_sentence(get_baked: Callable[[str], BakedProject]) -> None:
    found = []
    for name, module in modules(get_baked):
        for node, text in docstrings(module):
            prose = re.sub(r"`[^`]*`|\"[^\"]*\"", "", text)
            first = prose.split("\n", 1)[0]
            in_project = name.split(":")[0] in COMBINATIONS and not isinstance(node, ast.Module)
            if ";" in prose or (in_project and ": " in first):
                found.append(f"{name}:{getattr(node, 'lineno', 1)}: {first}")
    assert not found, "Split these docstrings into sentences:\n" + "\n".join(found)


def test_a_name_says_what_it_is_without_of(get_baked: Callable[[str], BakedProject]) -> None:
    found = []
    for name, module in modules(get_baked):
        for node in ast.walk(module):
            called = getattr(node, "name", None) or getattr(node, "id", None) or getattr(node, "arg", None)
            if isinstance(called, str) and called.endswith("_of"):
                found.append(f"{name}: {called}")
    assert not found, "Write get_… or a noun:\n" + "\n".join(sorted(set(found)))


def test_the_functions_of_a_project_are_verbs(get_baked: Callable[[str], BakedProject]) -> None:
    found = []
    for name, module in project_modules(get_baked):
        for node in ast.walk(module):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            first = node.name.strip("_").split("_")[0]
            if (
                not node.decorator_list
                and not node.name.startswith("__")
                and first not in VERBS
                and node.name not in NOUNS
            ):
                found.append(f"{name}:{node.lineno}: {node.name}")
    assert not found, "Begin these names with a verb:\n" + "\n".join(found)


def pages() -> dict[str, str]:
    """Return the Markdown pages."""
    return {name: text for name, text in sources().items() if name.endswith(".md")}


def prose(text: str) -> Iterator[str]:
    """Yield each paragraph, item and cell of a page, without code."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "inline":
            parts = token.children or []
            yield "".join("x" if part.type == "code_inline" else part.content or " " for part in parts)


@pytest.mark.parametrize("name", sorted(name for name in pages() if "zh-CN" not in name and "blocked-by" not in name))
def test_a_page_makes_one_statement_a_sentence(name: str) -> None:
    text = re.sub(r"(?s)<!-- figures.*?<!-- end of the figures -->|\{%.*?%\}", "", pages()[name])
    found = []
    for part in prose(text):
        sentences = re.split(r"(?<=[.?!])\s+", part)
        found += [sentence for sentence in sentences if ";" in sentence or len(sentence.split()) > MAX_WORDS]
    assert not found, "Split these sentences:\n" + "\n".join(found)
