"""The built front end, served by the API with one origin."""

from pathlib import Path

import pytest
from conftest import settings
from flask import Flask
from flask.testing import FlaskClient
from my_lab_api import create_app

PAGE = "<!doctype html><title>The page</title>"
YEAR = "public, max-age=31536000, immutable"


def create_one_origin_client(build: Path) -> FlaskClient:
    """A client of an application that serves a build and does not use its database."""
    origin = {"FRONTEND_ORIGINS": "none", "FRONTEND_DIST": str(build)}
    return create_app(settings("sqlite:///unused.sqlite", **origin)).test_client()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A client of an application that serves the output of `npm run build`."""
    folder = tmp_path_factory.mktemp("frontend") / "dist"
    for name in ("index.html", "assets/index-4fQ2.js", "robots.txt", "../secret.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(PAGE if name == "index.html" else name)
    return create_one_origin_client(folder)


PATHS = ["/", "/samples/7", "/apis", "/healthy/food", "/a//b", "/%FF", "/index.html"]


@pytest.mark.parametrize("path", PATHS)
def test_every_path_outside_the_api_is_the_front_end(site: FlaskClient, path: str) -> None:
    with site.get(path, follow_redirects=True) as answer:
        assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/html", PAGE)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'; ")
        assert "no-cache" in answer.headers["Cache-Control"]
    etag = {"If-None-Match": answer.headers["ETag"]}  # a 304 renews the headers of the browser's copy
    with site.get(path, headers=etag, follow_redirects=True) as again:
        assert again.status_code == 304
        assert again.headers["Content-Security-Policy"] == answer.headers["Content-Security-Policy"]


def test_a_file_with_a_hash_in_its_name_is_cached_for_a_year(site: FlaskClient) -> None:
    for path, caching in (("/assets/index-4fQ2.js", YEAR), ("/robots.txt", "no-cache")):
        with site.get(path) as answer:
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, caching)
        with site.get(path, headers={"If-None-Match": answer.headers["ETag"]}) as again:
            assert again.status_code == 304


MISSING_PATHS = ["/api", "/api/", "/api/nothing", "/api/notes/x/y", "/health/x", "/assets/gone.js", "/gone.css"]
MISSING_PATHS += ["/assets/../../secret.txt", "/..%2fsecret.txt", "/assets/..%5c..%5csecret.txt"]
MISSING_PATHS += ["/assets/..%2findex.html"]  # otherwise it would be cached for a year


@pytest.mark.parametrize("path", MISSING_PATHS)
def test_a_missing_file_or_api_path_is_a_json_problem(site: FlaskClient, path: str) -> None:
    answer = site.get(path, follow_redirects=True)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_without_a_build_the_error_says_how_to_build_it(tmp_path: Path) -> None:
    answer = create_one_origin_client(tmp_path / "none").get("/")
    assert (answer.status_code, "npm run build" in answer.json["detail"]) == (404, True)


def test_with_two_origins_the_front_end_is_not_served(site: FlaskClient, app: Flask) -> None:
    if app.config["FRONTEND_ORIGINS"] != "none":
        assert app.test_client().get("/").status_code == 404
    assert site.post("/").status_code == 405
