"""Parse the files of a project as the programs do that use them."""

import ast
import html.parser
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

import yaml
from markdown_it import MarkdownIt

from tests.baking import BakedProject


def assert_read_back(project: BakedProject, name: str, author: str) -> None:
    """Parse every file and compare its contents with the answers."""
    metadata = tomllib.loads(project.read("pyproject.toml"))["project"]
    assert metadata["name"] == project.path.name
    assert metadata["authors"] == [{"name": author}]

    for path in project.files:
        if parse := PARSERS.get(PurePosixPath(path).suffix):
            parse(project.read(path))
    assert get_constants(project.read(f"{project.package}/config.py"))["TITLE"] == name

    if "frontend/index.html" in project.files:
        page = Page(project.read("frontend/index.html"))
        assert page.texts["title"] == name
        assert page.texts["h1"] == name
    if "LICENSE" in project.files:
        assert re.search(rf"(?m)^ *Copyright (\(c\) )?\d{{4}},? {re.escape(author)}$", project.read("LICENSE"))
    for readme in {"README.md", "README.zh-CN.md"} & set(project.files):
        assert render_markdown(project.read(readme)).startswith(f"{name}\n")


def get_constants(source: str) -> dict[str, object]:
    """Return the constants of a module with their values."""
    found: dict[str, object] = {}
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                found[name] = value
    return found


def render_markdown(source: str) -> str:
    """Return the visible text of a Markdown page, with one line for each block."""
    lines = []
    for token in MarkdownIt("commonmark").parse(source):
        if token.type == "inline":
            lines.append("".join(part.content for part in token.children or []))
    return "\n".join(lines)


def get_links(source: str) -> list[str]:
    """Return the target of each link and picture of a Markdown page."""
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    attributes = [part.attrs for token in tokens for part in token.children or []]
    return [str(found) for attrs in attributes if (found := attrs.get("href") or attrs.get("src"))]


class Block(NamedTuple):
    """A code block in a Markdown page, with its heading and the sentence above it."""

    section: str
    sentence: str
    language: str
    code: str


def get_blocks(source: str) -> list[Block]:
    """Return the code blocks of a Markdown page in order."""
    found, section, sentence, heading = [], "", "", False
    for token in MarkdownIt("commonmark").parse(source):
        heading = token.type == "heading_open" or (heading and token.type != "heading_close")
        if token.type == "inline":
            section, sentence = (token.content, "") if heading else (section, token.content)
        elif token.type in ("fence", "code_block"):
            found.append(Block(section, sentence, token.info, token.content))
    return found


class Page(html.parser.HTMLParser):
    """An HTML document: the text of each kind of element."""

    def __init__(self, source: str) -> None:
        """Parse the source."""
        super().__init__()
        self.texts: dict[str, str] = {}
        self._tag = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the start of an element."""
        self._tag = tag

    def handle_endtag(self, tag: str) -> None:
        """Record the end of an element."""
        self._tag = ""

    def handle_data(self, data: str) -> None:
        """Record the text."""
        self.texts[self._tag] = self.texts.get(self._tag, "") + data


PARSERS: dict[str, Callable[[str], object]] = {
    ".html": Page,
    ".json": json.loads,
    ".md": render_markdown,
    ".py": ast.parse,
    ".toml": tomllib.loads,
    ".yaml": lambda source: list(yaml.safe_load_all(source)),
    ".yml": yaml.safe_load,
}
