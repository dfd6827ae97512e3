"""Fixtures that the tests share. Each combination of answers is baked once and installed once."""

import os
import shutil
import sys
import venv
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests import servers
from tests.baking import COMBINATIONS, PLAIN_PIP, BakedProject, bake, require, template
from tests.operations.cluster import Cluster, serving_cluster
from tests.spreading import count_processes, get_group

collect_ignore = ["application"]  # run inside a generated project by tests/project/test_application.py


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many processes run the tests: several for all tests, one for a selection."""
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return count_processes(everything and not (config.option.keyword or config.option.lf))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Distribute whole groups of tests to the processes."""
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = get_group
    return scheduler


@pytest.fixture(scope="session", autouse=True)
def _isolated_git() -> Iterator[None]:
    """Run git without the settings of this user, such as signatures, templates and an identity."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
            patch.setenv(name, os.devnull)
        for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
            patch.delenv(name, raising=False)
        template()  # calls git, so it runs before a test removes git from the PATH
        yield


@pytest.fixture(scope="session")
def get_baked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], BakedProject]:
    """Return a function that bakes each combination once."""

    @cache
    def once(combination: str) -> BakedProject:
        return bake(tmp_path_factory.mktemp(combination) / "out", COMBINATIONS[combination])

    return once


@pytest.fixture(scope="session", params=COMBINATIONS)
def project(request: pytest.FixtureRequest, get_baked: Callable[[str], BakedProject]) -> BakedProject:
    """Return each combination."""
    return get_baked(request.param)


@pytest.fixture(scope="session")
def get_installed(get_baked: Callable[[str], BakedProject]) -> Callable[[str], BakedProject]:
    """Return a function that bakes each combination once and installs its Python packages."""

    @cache
    def once(combination: str) -> BakedProject:
        require(shutil.which("uv"), "uv is not installed: pip install uv")
        found = get_baked(combination)
        found.check_output("uv", "sync", "--quiet")
        return found

    return once


@pytest.fixture(scope="session")
def newcomer_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment that has Python and pip, but not uv."""
    folder = tmp_path_factory.mktemp("python")
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    return {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **PLAIN_PIP}


@pytest.fixture(scope="session")
def with_node(get_installed: Callable[[str], BakedProject]) -> BakedProject:
    """Return the default project with its npm packages. This is the only fixture that runs npm."""
    require(shutil.which("node") and shutil.which("npm"), "Node.js is not installed: see https://nodejs.org")
    found = get_installed("default")
    found.check_output("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", folder="frontend")
    return found


@pytest.fixture(scope="session")
def get_complete(
    get_installed: Callable[[str], BakedProject], with_node: BakedProject
) -> Callable[[str], BakedProject]:
    """Return a function that also links the npm packages of `with_node` into each combination."""

    @cache
    def once(combination: str) -> BakedProject:
        found = get_installed(combination)
        packages, copy = (project.path / "frontend" / "node_modules" for project in (with_node, found))
        if found != with_node:
            ours = shutil.ignore_patterns(".vite*")  # the cache of Vite
            shutil.copytree(packages, copy, symlinks=True, copy_function=os.link, ignore=ours)
        return found

    return once


@pytest.fixture(scope="session")
def with_extras(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """Return a default project with the extras for PostgreSQL and Redis."""
    require(shutil.which("uv"), "uv is not installed: pip install uv")
    found = bake(tmp_path_factory.mktemp("with-extras") / "out")
    found.check_output("uv", "sync", "--quiet", "--all-extras")
    return found


@pytest.fixture(scope="session")
def postgresql() -> Iterator[servers.PostgreSQL]:
    """Return a running PostgreSQL. Each test creates its own database with `database()`."""
    with servers.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[servers.Redis]:
    """Return a running Redis. Each test takes its own database with `database()`."""
    with servers.redis() as server:
        yield server


@pytest.fixture(scope="session")
def cluster(with_extras: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return two servers behind Caddy, with their own Redis and a PostgreSQL that uses fsync."""
    folder = tmp_path_factory.mktemp("cluster")
    with (
        servers.postgresql(fsync="on") as database,
        servers.redis() as store,
        serving_cluster(folder, with_extras, database, store) as found,
    ):
        yield found
