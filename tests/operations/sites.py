"""A generated project as a server of production, asked by many clients at once."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import requests

from tests.baking import BakedProject
from tests.client import PASSWORD, USER
from tests.production import Api, create_production_settings
from tests.serving import running

T = TypeVar("T")


class Site(Api):
    """A server that many clients ask."""

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def login(self, password: str = PASSWORD) -> requests.Response:
        """Try to sign in."""
        return self.request("POST", "/api/auth/login", json={"username": USER, "password": password})

    def request(self, method: str, path: str, **sent: Any) -> requests.Response:
        """Ask once, over a connection of its own."""
        return requests.request(method, f"{self.address}{path}", timeout=60, **sent)

    @cached_property
    def cookie(self) -> str:
        """The cookie of one sign-in; it is Secure, so that over http somebody has to carry it."""
        return self.login().headers["Set-Cookie"].partition(";")[0]

    def sign_in(self) -> Callable[..., requests.Response]:
        """Return a function that asks as somebody who has signed in, over one connection."""
        session = requests.Session()
        session.headers["Cookie"] = self.cookie

        def request(method: str, path: str, **sent: Any) -> requests.Response:
            return session.request(method, f"{self.address}{path}", timeout=60, **sent)

        return request


@contextlib.contextmanager
def site(project: BakedProject, settings: Mapping[str, str]) -> Iterator[Site]:
    """Run a project for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder, running(Site(Path(folder), project, settings)) as server:
        yield server


def build_settings(project: BakedProject, folder: Path, **changes: str) -> dict[str, str]:
    """Return settings of a production with one user, and with no limit that a test would meet by accident."""
    limits = dict.fromkeys(("LOGIN_LIMIT", "LOGIN_ACCOUNT_LIMIT"), "10000 per hour")
    return create_production_settings(project, folder, limits | changes)


def run_concurrently(number: int, action: Callable[[], T]) -> list[T]:
    """Do something in so many threads, and return what came out."""
    with ThreadPoolExecutor(number) as pool:
        return [future.result() for future in [pool.submit(action) for _ in range(number)]]
