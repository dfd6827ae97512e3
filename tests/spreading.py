"""Spread the tests over a few processes, so that what is slow to make is made in as few of them as may be.

Each process has projects, servers and browsers of its own. Tests that share such things are a group, which one process
runs: a browser with everything that it is asked, a combination of `test_generated.py`, all about the cluster, otherwise
a file.
"""

import os
import re

MAXIMUM_PROCESSES = 4  # each process starts servers, browsers and compilers of its own


def count_processes(all_tests: bool) -> int:
    """Return how many processes run the tests; 0 is for a few tests: none but the one that was started."""
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
    return f"{file} {name.partition('[')[2]}" if file == "tests/project/test_generated.py" else file
