"""Deploy a generated project: the built page, Granian, and Caddy in front with https and host names."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import trustme

from tests.baking import BakedProject
from tests.production import serving_api
from tests.proxies import caddy_command, make_local
from tests.running import preferred_port
from tests.serving import serving

# Chromium and Firefox resolve these names to this machine
PAGE_HOST, SAME_SITE_HOST, OTHER_SITE_HOST = "app.example.test", "api.example.test", "api.other.test"
HOSTS = (PAGE_HOST, SAME_SITE_HOST, OTHER_SITE_HOST)


@contextlib.contextmanager
def deployment(
    project: BakedProject, folder: Path, hosts: tuple[str, str], settings: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Serve page and API with https. Yield the origins of both.

    Args:
        project: with the packages of its front end.
        folder: for all generated files.
        hosts: the host names of page and API. With the strategy proxy they are the same.
        settings: the settings of the API without the origin of the page, from `create_production_settings`.

    """
    port = preferred_port(0)
    page, api = (f"https://{host}:{port}" for host in hosts)
    build = build_frontend(project, folder / "page", "" if page == api else api)
    origins = "none" if page == api else page
    with serving_api(folder, project, {**settings, "FRONTEND_ORIGINS": origins}) as server:
        sites = {"SITE": page, "API_SITE": api, "API": f"127.0.0.1:{server.port}", "FRONTEND_DIST": str(build)}
        with caddy(project, folder, port, sites):
            yield page, api


def build_frontend(project: BakedProject, target: Path, api: str) -> Path:
    """Build the front end for an API into a folder and return the folder."""
    build = ["node", "node_modules/vite/bin/vite.js", "build", "--emptyOutDir", "--outDir", str(target)]
    project.check_output(*build, folder="frontend", env={"VITE_API_URL": api})
    return target


@contextlib.contextmanager
def caddy(project: BakedProject, folder: Path, port: int, sites: Mapping[str, str]) -> Iterator[None]:
    """Run Caddy with the Caddyfile of the project and local certificates."""
    names = {address.removeprefix("https://").partition(":")[0] for address in (sites["SITE"], sites["API_SITE"])}
    certificate = trustme.CA().issue_cert(*sorted(names))
    key, chain = folder / "key.pem", folder / "chain.pem"
    certificate.private_key_pem.write_to_path(key)
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(chain, append=True)
    caddyfile, each = project.read("deploy/Caddyfile"), "\tencode zstd gzip\n"
    assert caddyfile.count(each) == len(names)
    command = caddy_command(folder, make_local(caddyfile.replace(each, f"\ttls {chain} {key}\n{each}")))
    home = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with serving(command, port, folder, {**sites, **home}):
        yield
