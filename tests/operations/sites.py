"""A production server of a generated project with many concurrent clients."""

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
    """A server with many clients."""

    @property
    def address(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def login(self, password: str = PASSWORD) -> requests.Response:
        """Try to sign in."""
        return self.request("POST", "/api/auth/login", json={"username": USER, "password": password})

    def request(self, method: str, path: str, **sent: Any) -> requests.Response:
        """Send one request over a new connection."""
        return requests.request(method, f"{self.address}{path}", timeout=60, **sent)

    @cached_property
    def cookie(self) -> str:
        """The cookie of one sign-in. It is Secure, so over http it is sent by hand."""
        return self.login().headers["Set-Cookie"].partition(";")[0]

    def sign_in(self) -> Callable[..., requests.Response]:
        """Return a function that sends requests of a signed-in user over one connection."""
        session = requests.Session()
        session.headers["Cookie"] = self.cookie

        def request(method: str, path: str, **sent: Any) -> requests.Response:
            return session.request(method, f"{self.address}{path}", timeout=60, **sent)

        return request


@contextlib.contextmanager
def site(project: BakedProject, settings: Mapping[str, str]) -> Iterator[Site]:
    """Run a project until the block ends."""
    with tempfile.TemporaryDirectory() as folder, running(Site(Path(folder), project, settings)) as server:
        yield server


def build_settings(project: BakedProject, folder: Path, **changes: str) -> dict[str, str]:
    """Return production settings with one user and high rate limits."""
    limits = dict.fromkeys(("LOGIN_LIMIT", "LOGIN_ACCOUNT_LIMIT"), "10000 per hour")
    return create_production_settings(project, folder, limits | changes)


def run_concurrently(number: int, action: Callable[[], T]) -> list[T]:
    """Run an action in many threads and return the results."""
    with ThreadPoolExecutor(number) as pool:
        return [future.result() for future in [pool.submit(action) for _ in range(number)]]
