"""Caddy and nginx as reverse proxies, configured as a generated project documents them."""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent

from tests.baking import BakedProject, require, tool
from tests.client import Client
from tests.production import HOST
from tests.serving import Server

PAGE_HOST = "app.example.test"
INSTALL_NGINX = "nginx is not installed: see https://nginx.org/en/docs/install.html"


class Proxy(Server):
    """A reverse proxy without TLS."""

    def client(self, address: str = "127.0.0.1") -> Client:
        """Return a client with a source address of this machine."""
        return Client(self.port, HOST, address)


class Caddy(Proxy):
    """Caddy with the Caddyfile of a project."""

    def __init__(
        self,
        folder: Path,
        project: BakedProject,
        ports: Sequence[int],
        page: Path | None = None,
        changes: Mapping[str, str] | None = None,
    ) -> None:
        """Configure Caddy as the reverse proxy of servers.

        Args:
            folder: for its files.
            project: the project with the Caddyfile.
            ports: the ports of the servers.
            page: the folder of the built front end.
            changes: shorter timeouts than those of the Caddyfile.

        """
        super().__init__(folder)
        theirs = project.read("deploy/Caddyfile")
        for name, value in (changes or {}).items():
            theirs, count = re.subn(rf"(?m)^(\t+{name}) \w+$", rf"\1 {value}", theirs)
            assert count, name
        self.caddyfile = make_local(theirs)
        self.settings = {
            "API_SITE": f"http://{HOST}:{self.port}",
            "SITE": f"http://{PAGE_HOST}:{self.port}",
            "API": " ".join(f"127.0.0.1:{port}" for port in ports),
            "FRONTEND_DIST": str(page or folder),
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        }

    def command(self) -> Sequence[str]:
        """Return the command."""
        return caddy_command(self.folder, self.caddyfile)


def caddy_command(folder: Path, caddyfile: str) -> list[str]:
    """Write a Caddyfile into a folder and return the command that runs Caddy with it."""
    (folder / "Caddyfile").write_text(caddyfile, encoding="utf-8")
    return [tool("caddy"), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def make_local(caddyfile: str) -> str:
    """Return a Caddyfile without automatic https that listens on 127.0.0.1 only."""
    ours = "\n{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n"
    assert caddyfile.count("\n{\n") == 1, "one block of global options"
    return caddyfile.replace("\n{\n", ours)


NGINX_CONFIG = """daemon off; master_process off; pid nginx.pid; error_log stderr;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    {http}
}}
"""


def nginx_command(folder: Path, http: str) -> list[str]:
    """Write the `http` block into a folder and return the command that runs nginx there."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    require(found, INSTALL_NGINX)
    (folder / "nginx.conf").write_text(NGINX_CONFIG.format(http=http), encoding="utf-8")
    return [str(found), "-p", str(folder), "-e", "stderr", "-c", "nginx.conf"]


class Nginx(Proxy):
    """nginx with the lines of `docs/production.md`."""

    def __init__(self, folder: Path, project: BakedProject, ports: Sequence[int]) -> None:
        """Configure nginx as the reverse proxy of the server at the one port of `ports`."""
        super().__init__(folder)
        [port] = ports
        [lines] = re.findall(r"\n((?:    .*\n)*    map .*\n(?:    .*\n)*)", project.read("docs/production.md"))
        http_lines, server_lines = re.split(
            r"(?m)^(?=location )", dedent(lines.replace("127.0.0.1:8000", f"127.0.0.1:{port}"))
        )
        self.http = f"{http_lines} server {{ listen 127.0.0.1:{self.port}; {server_lines} }}"

    def command(self) -> Sequence[str]:
        """Return the command."""
        return nginx_command(self.folder, self.http)
