"""Tests that share slow fixtures run in one process."""

import pytest

from tests.spreading import MAXIMUM_PROCESSES, count_processes, get_group


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("tests/project/test_dev.py::test_a", "tests/project/test_dev.py::test_b[x]", True),
        ("tests/project/test_dev.py::test_a", "tests/project/test_pip.py::test_a", False),
        ("tests/operations/test_cluster.py::test_a", "tests/operations/test_cluster_faults.py::test_b[x]", True),
        ("tests/project/test_generated.py::test_a[default]", "tests/project/test_generated.py::test_b[default]", True),
        ("tests/project/test_generated.py::test_a[default]", "tests/project/test_generated.py::test_a[proxy]", False),
        ("tests/browser/test_a.py::test_a[chromium-b]", "tests/browser/test_b.py::test_b[flask-cors-chromium]", True),
        ("tests/browser/test_a.py::test_a[chromium]", "tests/browser/test_a.py::test_a[firefox]", False),
        ("tests/browser/test_a.py::test_as_chromium_does[b]", "tests/browser/test_a.py::test_c", True),
    ],
)
def test_tests_of_one_group_run_in_one_process(one: str, other: str, together: bool) -> None:
    assert (get_group(one) == get_group(other)) is together


def test_all_tests_use_several_processes_and_a_selection_uses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, all_tests, expected in [(1, True, 0), (2, True, 2), (64, True, MAXIMUM_PROCESSES), (64, False, 0)]:
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        assert count_processes(all_tests) == expected
