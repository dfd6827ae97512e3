"""Health checks and the API documentation."""

import re
from urllib.parse import urljoin

from {{ cookiecutter.__package }} import create_app


def test_the_api_is_live(client):
    assert client.get("/health/live").status_code == 200


def test_the_api_is_ready_when_the_database_answers(client):
    assert client.get("/health/ready").status_code == 200


def test_the_api_is_not_ready_without_its_database(settings, tmp_path):
    client = create_app(settings | {"DATABASE_URL": f"sqlite:///{tmp_path}/missing/lab.sqlite"}).test_client()
    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/live").status_code == 200


def test_the_documentation_loads_all_files_from_this_api(client):
    html = client.get("/api/docs").text
    for link in re.findall(r'(?:href|src)="([^"]+)"', html):
        with client.get(urljoin("/api/docs", link)) as response:
            assert response.status_code == 200
    assert "://" not in html


def test_the_openapi_summary_of_a_view_is_its_docstring(client):
    view = client.get("/api/openapi.json").json["paths"]["/api/auth/login"]["post"]
    assert view["summary"] == "Sign in with a username and a password"


def test_openapi_describes_errors_as_problem_json(client):
    description = client.get("/api/openapi.json").json
    error = description["paths"]["/api/auth/login"]["post"]["responses"]["default"]["$ref"].rpartition("/")[2]
    assert "application/problem+json" in description["components"]["responses"][error]["content"]
