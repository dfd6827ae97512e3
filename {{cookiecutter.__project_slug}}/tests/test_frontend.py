"""Blueprint `frontend`: the built front end, on the same origin as the API."""

import pytest

from {{ cookiecutter.__package }} import create_app


@pytest.fixture
def site(settings, tmp_path):
    """Return a client of an application that serves the output of `npm run build`."""
    build = tmp_path / "dist"
    (build / "assets").mkdir(parents=True)
    (build / "index.html").write_text("<!doctype html><title>The page</title>")
    (build / "assets" / "index-4fQ2.js").write_text("alert(1)")
    (build / "robots.txt").write_text("User-agent: *")
    (tmp_path / "secret.txt").write_text("secret")
    return create_app(settings | {"FRONTEND_ORIGINS": "none", "FRONTEND_DIST": str(build)}).test_client()


def test_a_path_of_the_front_end_returns_its_html(site):
    with site.get("/samples/7") as response:
        assert response.status_code == 200
        assert "The page" in response.text


def test_the_html_runs_only_scripts_of_its_own_origin(site):
    with site.get("/samples/7") as response:
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
        assert "no-cache" in response.headers["Cache-Control"]


def test_a_file_with_a_hash_in_its_name_is_cached_for_a_year(site):
    with site.get("/assets/index-4fQ2.js") as response:
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_any_other_file_of_the_build_is_sent(site):
    with site.get("/robots.txt") as response:
        assert response.text == "User-agent: *"


def test_a_missing_file_is_404(site):
    assert site.get("/assets/gone.js").status_code == 404
    assert site.get("/gone.css").status_code == 404


def test_a_file_outside_of_the_build_is_not_sent(site):
    assert site.get("/assets/../../secret.txt").status_code == 404
    assert site.get("/..%2fsecret.txt").status_code == 404


def test_a_missing_path_of_the_api_is_404_in_json(site):
    response = site.get("/api/no/such/path")
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"


def test_the_error_without_a_build_names_the_build_command(settings):
    client = create_app(settings | {"FRONTEND_ORIGINS": "none"}).test_client()
    response = client.get("/samples/7")
    assert response.status_code == 404
    assert "npm run build" in response.json["detail"]


def test_a_front_end_on_another_origin_is_not_served(client):
    assert client.get("/samples/7").status_code == 404
