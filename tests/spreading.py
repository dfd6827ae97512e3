"""Distribute the tests over a few processes, so that few of them create the same slow fixtures.

Each process has its own projects, servers and browsers. Tests that share such fixtures are a group, and one process
runs a group. The groups are: all tests of one browser, one combination of a file in BY_COMBINATION, all tests of the
cluster, and otherwise one file. xdist starts groups with few tests last, so these groups have to be short.
"""

import os
import re

BY_COMBINATION = (
    "tests/project/test_application.py",
    "tests/project/test_generated.py",
    "tests/template/test_following_readme.py",
)
MAXIMUM_PROCESSES = 4  # each process starts its own servers, browsers and compilers


def count_processes(all_tests: bool) -> int:
    """Return how many extra processes run the tests. 0 means that the main process runs them."""
    cores = os.cpu_count() or 1
    return min(cores, MAXIMUM_PROCESSES) if all_tests and cores > 1 else 0


def get_group(test: str) -> str:
    """Return the group of a test, given its id."""
    file, _, name = test.partition("::")
    browser = re.search(r"[\[-](chromium|firefox)[]-]", name)
    if browser and file.startswith("tests/browser/"):
        return browser[1]
    if file.startswith("tests/operations/test_cluster"):
        return "cluster"
    return f"{file} {name.partition('[')[2]}" if file in BY_COMBINATION else file
