"""A generated project as it runs in production: the built page, Granian, and Caddy in front with https and names."""

import contextlib
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import trustme

from tests.baking import BakedProject, environment, require
from tests.running import preferred_port
from tests.serving import serving

# the browsers of the tests take these names for this machine
PAGE_HOST, SAME_SITE_HOST, OTHER_SITE_HOST = "app.example.test", "api.example.test", "api.other.test"
HOSTS = (PAGE_HOST, SAME_SITE_HOST, OTHER_SITE_HOST)
USER, PASSWORD = "ada", "a password of her own"

OPTIONS = "{ \n admin off \n auto_https off \n servers { \n protocols h1 h2 \n } \n }"
FILES = "root * {} \n try_files {{path}} /index.html \n file_server"


@contextlib.contextmanager
def deployed(
    project: BakedProject, folder: Path, api_host: str, settings: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Serve the page at PAGE_HOST and the API at another name; yield the origins of both.

    Args:
        project: with the packages of its front end.
        folder: for everything that is written.
        api_host: the name of the API.
        settings: of the API, beside the page's origin; see `production_settings`.

    """
    port = preferred_port(0)
    page, api = f"https://{PAGE_HOST}:{port}", f"https://{api_host}:{port}"
    build = built(project, folder / "page", {"VITE_API_URL": api})
    with production(project, {**settings, "FRONTEND_ORIGINS": page}) as api_port:
        sites = {PAGE_HOST: FILES.format(build), api_host: f"reverse_proxy 127.0.0.1:{api_port}"}
        with caddy(folder, port, sites):
            yield page, api


def built(project: BakedProject, target: Path, env: Mapping[str, str]) -> Path:
    """Build the front end into a folder, and return the folder."""
    build = ["node", "node_modules/vite/bin/vite.js", "build", "--emptyOutDir", "--outDir", str(target)]
    project.succeeds(*build, folder="frontend", env=env)
    return target


def production_settings(project: BakedProject, folder: Path) -> dict[str, str]:
    """Return what a production needs: a key, and a database that has one user."""
    settings = {
        "APP_ENV": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "DATABASE_URL": f"sqlite:///{folder / 'production.sqlite'}",
        "FRONTEND_ORIGINS": "none",
    }
    project.succeeds(project.python, "-m", "flask", "db", "upgrade", env=settings)
    subprocess.run(
        [project.python, "-m", "flask", "user", "create", USER],
        cwd=project.path,
        env=environment(settings),
        input=f"{PASSWORD}\n{PASSWORD}\n".encode(),
        capture_output=True,
        check=True,
        start_new_session=True,  # without a terminal, the password is read from the input
    )
    return settings


@contextlib.contextmanager
def production(project: BakedProject, settings: Mapping[str, str]) -> Iterator[int]:
    """Run the API as its README says; yield its port."""
    port = preferred_port(0)
    env = {**settings, "PORT": str(port)}
    with serving([project.python, "-m", project.package], port, project.path, env):
        yield port


@contextlib.contextmanager
def caddy(folder: Path, port: int, sites: Mapping[str, str]) -> Iterator[None]:
    """Serve names by https; `sites` has the directives of each."""
    require(shutil.which("caddy"), "caddy is not installed: see https://caddyserver.com/docs/install")
    certificate = trustme.CA().issue_cert(*sites)
    key, chain = folder / "key.pem", folder / "chain.pem"
    certificate.private_key_pem.write_to_path(key)
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(chain, append=True)
    common = f"bind 127.0.0.1 \n tls {chain} {key}"
    blocks = [f"https://{host}:{port} {{ \n {common} \n {directives} \n }}" for host, directives in sites.items()]
    config = folder / "Caddyfile"
    config.write_text("\n".join([OPTIONS, *blocks, ""]), encoding="utf-8")
    home = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with serving(["caddy", "run", "--adapter", "caddyfile", "--config", config], port, folder, home):
        yield
