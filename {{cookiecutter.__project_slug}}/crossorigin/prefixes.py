"""Find the policy of a path by its deepest prefix, at segment boundaries."""

import re
from typing import Generic, TypeVar

V = TypeVar("V")
# as in werkzeug's rules: <name>, <int:name>, <regex("[^>]"):name>
VARIABLE = re.compile(r"<(?:(?P<converter>[A-Za-z_]\w*)(?:\(.*?\))?:)?[A-Za-z_]\w*>", re.ASCII)
SEGMENT = re.compile(rf"(?:{VARIABLE.pattern}|[^/])+", re.ASCII)


def split_rule(rule: str) -> list[str]:
    """Split a rule or a prefix into segments, without empty ones, because werkzeug merges slashes."""
    return [match[0] for match in SEGMENT.finditer(rule)]


def compile_segment(segment: str) -> re.Pattern[str]:
    """Return a pattern for one segment of a rule."""
    # a variable of any type matches any text, so a page can read the 404 of /lab/one under /lab/<int:id>
    literals = VARIABLE.sub("\0", segment).split("\0")
    return re.compile("[^/]+".join(map(re.escape, literals)) + r"\Z")


class Prefixes(Generic[V]):
    """A tree of path segments. The cost of a lookup depends on the depth of the path only."""

    def __init__(self) -> None:
        self._value: V | None = None
        self._literal: dict[str, Prefixes[V]] = {}
        self._variable: dict[re.Pattern[str], Prefixes[V]] = {}

    def add(self, prefix: str, value: V) -> V:
        """Add a prefix and return its value. An existing value stays."""
        node = self
        for segment in split_rule(prefix):
            if VARIABLE.search(segment):
                node = node._variable.setdefault(compile_segment(segment), Prefixes())
            else:
                node = node._literal.setdefault(segment, Prefixes())
        node._value = node._value or value
        return node._value

    def find(self, path: str) -> V | None:
        """Return the value of the deepest prefix of a path. A literal segment comes before a variable."""
        return self._find_deepest([segment for segment in path.split("/") if segment])[1]

    def _find_deepest(self, rest: list[str]) -> tuple[int, V | None]:
        best = (0, self._value)
        if not rest:
            return best
        children = [child for pattern, child in self._variable.items() if pattern.match(rest[0])]
        if rest[0] in self._literal:
            children.insert(0, self._literal[rest[0]])
        for child in children:
            depth, value = child._find_deepest(rest[1:])
            if value is not None and depth + 1 > best[0]:
                best = (depth + 1, value)
        return best
