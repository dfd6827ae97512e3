"""Every link inside the repository, and inside a project, leads somewhere."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from tests.baking import COMBINATIONS, BakedProject, template
from tests.template.reading import get_links


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    tokens = MarkdownIt("commonmark").parse(text)
    titles = [after.content for token, after in itertools.pairwise(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def get_broken_links(root: Path, page: str) -> list[str]:
    """Return the links of a page that do not lead to a file of its folder, or to a heading."""
    broken = []
    for link in get_links((root / page).read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (root / page).parent / name if name else root / page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            broken.append(f"{page}: {link}")
    return broken


def test_each_link_of_the_template_leads_somewhere() -> None:
    root = template()
    pages = [
        path.relative_to(root).as_posix() for path in root.rglob("*.md") if "{{" not in str(path.relative_to(root))
    ]
    assert "README.zh-CN.md" in pages
    assert [link for page in pages for link in get_broken_links(root, page)] == []


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_each_link_of_a_project_leads_somewhere(get_baked: Callable[[str], BakedProject], combination: str) -> None:
    project = get_baked(combination)
    pages = [name for name in project.files if name.endswith(".md")]
    assert "README.md" in pages
    assert [link for page in pages for link in get_broken_links(project.path, page)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](b.md)", ["page.md: b.md"]),
        ("[a](#b)", ["page.md: #b"]),
        ("# It's b\n[a](#its-b) ![a](page.md)", []),
        ("`[a](b.md)`, [a](https://example.com/b)", []),
    ],
    ids=["no such file", "no such heading", "found", "code and other hosts"],
)
def test_a_broken_link_is_found(tmp_path: Path, text: str, expected: list[str]) -> None:
    (tmp_path / "page.md").write_text(text, "utf-8")
    assert get_broken_links(tmp_path, "page.md") == expected
