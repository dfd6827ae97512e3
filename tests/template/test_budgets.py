"""The budgets keep the default project small to read, to change and to test."""

from collections.abc import Callable

from scripts.budgets import ALLOWED, count_lines, find_couplings, find_crossing_names, measure, measure_functions
from tests.baking import BakedProject


def test_the_default_project_keeps_its_budgets(get_baked: Callable[[str], BakedProject]) -> None:
    budgets = list(measure(get_baked("default")))
    assert [budget for budget in budgets if not budget.is_allowed] == []


def test_only_an_exceeded_budget_has_an_exception(get_baked: Callable[[str], BakedProject]) -> None:
    assert {budget.what for budget in measure(get_baked("default")) if not budget.is_kept} == set(ALLOWED)


def test_empty_lines_are_not_counted() -> None:
    assert count_lines("a\n\n  \n# b\n") == 2
    assert dict(measure_functions("def f():\n    a\n\n    def g():\n        b\n")) == {"f": 4, "g": 2}


def test_a_name_that_crosses_a_module_border_is_counted_once() -> None:
    sources = {"a.py": "from .b import c, d\nfrom flask import Flask", "e.py": "from .b import c\nfrom . import b"}
    assert find_crossing_names(sources) == {"b.c", "b.d", "None.b"}


def find_coupled_names(source: str) -> list[str]:
    return [coupling.where.rpartition(" ")[2] for coupling in find_couplings({"a.py": source})]


def test_a_coupling_is_a_private_name_of_a_library() -> None:
    assert sorted(find_coupled_names("from a._b import _c")) == ["_b", "_c"]
    assert find_coupled_names("import a._b") == ["_b"]
    assert find_coupled_names("g.pop('_sessions')") == ["_sessions"]
    assert find_coupled_names("class A(B):\n def _c(self): super()._c()") == ["_c"]
    assert find_coupled_names("a._b()\na._b()") == ["_b"]


def test_a_private_name_of_the_application_is_not_a_coupling() -> None:
    assert (
        find_coupled_names("from .a import b\ndef _c(): pass\n_c()\nb._replace(c=1)\n_d = 1\na.__name__\nf'{a}_name'")
        == []
    )
    assert find_coupled_names("class A:\n def __init__(self): self._b = 1\n def c(self): return self._b") == []
    assert find_coupled_names("class A(B):\n def c(self): return self._d()\n def _d(self): pass") == []


def test_a_coupling_is_explained_by_an_issue_in_the_comment_above() -> None:
    source = "a = 1\n# flask-x has no public name for it (flask-x #12)\na._b()\n\n\n\n\na._c()"
    assert [coupling.has_issue for coupling in find_couplings({"a.py": source})] == [False, True]
