"""ETags behind a reverse proxy that compresses and rewrites them. Changes must still be accepted.

Caddy and Apache append the coding to an ETag (`"…-zstd"`), nginx makes it weak (`W/"…"`).
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.baking import BakedProject, require
from tests.client import ORIGIN, PASSWORD, USER, Client
from tests.production import HOST, create_production_settings, serving_api
from tests.proxies import caddy_command, make_local, nginx_command
from tests.running import preferred_port
from tests.serving import serving

BODY = "A long note. " * 154  # 2,002 characters: a proxy compresses it
CADDY = """{{
    admin off
    auto_https off
    default_bind 127.0.0.1
}}
http://{host}:{port} {{
    encode {codings}
    reverse_proxy 127.0.0.1:{api}
}}
"""
NGINX = """gzip on; gzip_proxied any; gzip_types application/json;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{api}; proxy_set_header Host $http_host; }}
    }}"""
APACHE = """
ServerName {host}
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog /dev/stderr
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
LoadModule filter_module {modules}/mod_filter.so
LoadModule deflate_module {modules}/mod_deflate.so
LoadModule brotli_module {modules}/mod_brotli.so
SetOutputFilter {codings}
ProxyPreserveHost On
ProxyPass / http://127.0.0.1:{api}/
"""


def build_shipped_caddy_command(project: BakedProject, folder: Path, port: int, api: int, _codings: str) -> list[str]:
    """Return the command of Caddy with the Caddyfile of deploy/, without https."""
    theirs = make_local(project.read("deploy/Caddyfile")).replace(
        "{$API_SITE:api.example.com}", f"http://{HOST}:{port}"
    )
    theirs = theirs.replace("{$SITE:app.example.com}", f"http://app.example.test:{port}")
    return caddy_command(folder, theirs.replace("{$API:127.0.0.1:8000}", f"127.0.0.1:{api}"))


def build_caddy_command(_project: BakedProject, folder: Path, port: int, api: int, codings: str) -> list[str]:
    """Return the command of Caddy with other codings."""
    return caddy_command(folder, CADDY.format(host=HOST, port=port, api=api, codings=codings))


def build_nginx_command(_project: BakedProject, folder: Path, port: int, api: int, _codings: str) -> list[str]:
    """Return the command of nginx with gzip for JSON."""
    return nginx_command(folder, NGINX.format(port=port, api=api))


def build_apache_command(_project: BakedProject, folder: Path, port: int, api: int, codings: str) -> list[str]:
    """Return the command of Apache with a filter that compresses."""
    found = shutil.which("apache2", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    require(found, "Apache is not installed: apt-get install apache2-bin, or see https://httpd.apache.org")
    text = APACHE.format(
        host=HOST, port=port, api=api, folder=folder, modules="/usr/lib/apache2/modules", codings=codings
    )
    (folder / "apache.conf").write_text(text)
    return [str(found), "-d", str(folder), "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"]


PROXIES = {
    "the Caddyfile of deploy/": (build_shipped_caddy_command, "", '-zstd"'),
    "Caddy with gzip": (build_caddy_command, "gzip", '-gzip"'),
    "Caddy with zstd": (build_caddy_command, "zstd", '-zstd"'),
    "nginx with gzip": (build_nginx_command, "", 'W/"'),
    "Apache with gzip": (build_apache_command, "DEFLATE", '-gzip"'),
    "Apache with brotli": (build_apache_command, "BROTLI_COMPRESS", '-br"'),
}


@pytest.fixture(scope="module")
def api(get_installed: Callable[[str], BakedProject], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of an API in production."""
    project = get_installed("default")
    changes = {"FRONTEND_ORIGINS": ORIGIN, "WORKERS": "1", "LOGIN_LIMIT": "6000 per minute"}
    changes["LOGIN_ACCOUNT_LIMIT"] = changes["LOGIN_LIMIT"]
    folder = tmp_path_factory.mktemp("etags")
    with serving_api(folder, project, create_production_settings(project, folder, changes)) as server:
        yield server.port


@pytest.fixture(scope="module", params=list(PROXIES.values()), ids=list(PROXIES))
def client(
    request: pytest.FixtureRequest,
    get_installed: Callable[[str], BakedProject],
    api: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Client]:
    """Return a signed-in client of each proxy."""
    start, codings, mark = request.param
    folder, port = tmp_path_factory.mktemp("proxy"), preferred_port(0)
    command = start(get_installed("default"), folder, port, api, codings)
    home = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "API": f"127.0.0.1:{api}"}
    with serving(command, port, folder, home), contextlib.closing(Client(port, HOST)) as found:
        assert found.sign_in(USER, PASSWORD).status == 200
        _, tag = create_note(found)
        assert tag.startswith(mark) or tag.endswith(mark), f"this proxy does not rewrite the ETag {tag}"
        yield found


def create_note(client: Client) -> tuple[str, str]:
    """Create a note and return its path and the ETag that a page gets."""
    plain = {"Accept-Encoding": "identity"}  # Python cannot read brotli
    path = f"/api/notes/{client.request('POST', '/api/notes', {'title': 'A note', 'body': BODY}, **plain).json['id']}"
    return path, client.request("GET", path).headers["ETag"]


CHANGES = [("PUT", {"title": "New", "body": BODY}, 200), ("PATCH", {"title": "New"}, 200), ("DELETE", None, 204)]


@pytest.mark.parametrize(("method", "body", "status"), CHANGES, ids=["PUT", "PATCH", "DELETE"])
def test_a_change_succeeds_with_the_current_etag_and_fails_with_an_outdated_one(
    client: Client, method: str, body: object, status: int
) -> None:
    path, tag = create_note(client)
    assert client.request("PATCH", path, {"title": "Changed"}, **{"If-Match": tag}).status == 200
    assert client.request(method, path, body, **{"If-Match": tag}).status == 412
    newer = client.request("GET", path).headers["ETag"]
    assert client.request(method, path, body, **{"If-Match": newer}).status == status


def test_an_unchanged_note_is_304(client: Client) -> None:
    path, tag = create_note(client)
    known = {"If-None-Match": tag}
    assert client.request("GET", path, **known).status == 304
    assert client.request("PATCH", path, {"title": "Changed"}, **{"If-Match": tag}).status == 200
    assert client.request("GET", path, **known).status == 200
