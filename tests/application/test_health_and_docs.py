"""Health checks and the API documentation."""

import json
import re
from urllib.parse import urljoin

import pytest
from conftest import settings
from my_lab_api import create_app


@pytest.mark.parametrize(("path", "without_database"), [("/health/live", 200), ("/health/ready", 503)])
def test_readiness_depends_on_the_database_and_liveness_does_not(client, tmp_path, path, without_database):
    assert client.get(path).json == {"status": "ok"}
    answer = create_app(settings(f"sqlite:///{tmp_path}/missing/lab.sqlite")).test_client().get(path)
    assert (answer.status_code, "sqlite" in answer.text) == (without_database, False)


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/"])
def test_the_documentation_loads_nothing_from_other_hosts(client, path):
    answer = client.get(path)
    page, policy = answer.text, answer.headers["Content-Security-Policy"]
    assert "://" not in page
    [nonce] = re.findall('nonce="(.+?)"', page)
    assert f"script-src 'self' 'nonce-{nonce}'" in policy
    assert client.get(path).headers["Content-Security-Policy"] != policy
    assert "/openapi.json" in page
    for link in re.findall(r'(?:href|src)="([^"]+)"', page):
        with client.get(urljoin(path, link)) as answer:
            assert answer.status_code == 200, link
    assert client.get("/api/docs/..%2f__init__.py").status_code == 404


def test_openapi_describes_every_operation_and_its_errors(client):
    api = client.get("/api/openapi.json").json
    assert api["openapi"].startswith("3.1.")
    for kind, name in re.findall(r'"\$ref": "#/components/(\w+)/(\w+)"', json.dumps(api)):
        assert name in api["components"][kind]
    operations = [item[key] for item in api["paths"].values() for key in item if key != "parameters"]
    for operation in operations:
        assert operation["summary"]
        assert any(status.startswith("2") for status in operation["responses"])
        error = operation["responses"]["default"]["$ref"].rpartition("/")[2]
        assert list(api["components"]["responses"][error]["content"]) == ["application/problem+json"]
