"""The budgets of the default project: what somebody receives to read, to change and to test stays small."""

from collections.abc import Callable

from scripts.budgets import ALLOWED, count_lines, crossing_names, find_couplings, measure, measure_functions
from tests.baking import BakedProject


def test_the_default_project_keeps_its_budgets(baked: Callable[[str], BakedProject]) -> None:
    budgets = list(measure(baked("default")))
    assert [budget for budget in budgets if not budget.is_allowed] == []


def test_only_a_budget_that_is_not_kept_has_an_exception(baked: Callable[[str], BakedProject]) -> None:
    assert {budget.what for budget in measure(baked("default")) if not budget.is_kept} == set(ALLOWED)


def test_lines_are_counted_without_empty_ones() -> None:
    assert count_lines("a\n\n  \n# b\n") == 2
    assert dict(measure_functions("def f():\n    a\n\n    def g():\n        b\n")) == {"f": 4, "g": 2}


def test_a_name_crosses_a_border_once() -> None:
    sources = {"a.py": "from .b import c, d\nfrom flask import Flask", "e.py": "from .b import c\nfrom . import b"}
    assert crossing_names(sources) == {"b.c", "b.d", "None.b"}


def couplings(source: str) -> list[str]:
    return [coupling.where.rpartition(" ")[2] for coupling in find_couplings({"a.py": source})]


def test_a_coupling_is_a_private_name_of_a_library() -> None:
    assert sorted(couplings("from a._b import _c")) == ["_b", "_c"]
    assert couplings("import a._b") == ["_b"]
    assert couplings("g.pop('_sessions')") == ["_sessions"]
    assert couplings("class A(B):\n def _c(self): super()._c()") == ["_c"]
    assert couplings("a._b()\na._b()") == ["_b"]


def test_a_private_name_of_our_own_is_none() -> None:
    assert couplings("from .a import b\ndef _c(): pass\n_c()\nb._replace(c=1)\n_d = 1\na.__name__\nf'{a}_name'") == []
    assert couplings("class A:\n def __init__(self): self._b = 1\n def c(self): return self._b") == []
    assert couplings("class A(B):\n def c(self): return self._d()\n def _d(self): pass") == []


def test_a_coupling_is_explained_by_an_issue_in_the_comment_above() -> None:
    source = "a = 1\n# flask-x has no public name for it (flask-x #12)\na._b()\n\n\n\n\na._c()"
    assert [coupling.has_issue for coupling in find_couplings({"a.py": source})] == [False, True]
