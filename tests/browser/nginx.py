"""nginx in front of an API with common CORS mistakes, each on its own port."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.proxies import nginx_command
from tests.running import preferred_port
from tests.serving import serving

PASS = "proxy_pass {api}; proxy_set_header Host $http_host;"
# server blocks. {api} is the URL of the API, {dead} is a port without a listener
MISTAKES = {
    "doubling": f"location / {{ {PASS} add_header Access-Control-Allow-Origin $http_origin always; }}",
    "silent": f"if ($request_method = OPTIONS) {{ return 204; }} location / {{ {PASS} }}",
    "refusing": f"if ($request_method = OPTIONS) {{ return 405; }} location / {{ {PASS} }}",
    "generous": f"""location / {{
        if ($request_method = OPTIONS) {{
            add_header Access-Control-Allow-Origin *;
            add_header Access-Control-Allow-Methods "GET, POST, PUT, PATCH, DELETE";
            add_header Access-Control-Allow-Headers content-type,if-match;
            return 204;
        }}
        {PASS}
    }}""",
    "secure": "return 301 https://localhost:{dead}$request_uri;",
    "alone": "location / { proxy_pass http://127.0.0.1:{dead}; }",
}


@contextlib.contextmanager
def serving_by_nginx(folder: Path, api: str, dead: int) -> Iterator[dict[str, str]]:
    """Run nginx in front of an API. Yield the URL of each mistake.

    Args:
        folder: the folder of its files.
        api: the URL of the API.
        dead: a port without a listener.
    """
    ports = {name: preferred_port(0) for name in MISTAKES}
    blocks = [f"server {{ listen 127.0.0.1:{port}; {MISTAKES[name]} }}" for name, port in ports.items()]
    servers = "\n".join(blocks).replace("{api}", api.replace("localhost", "127.0.0.1")).replace("{dead}", str(dead))
    with serving(nginx_command(folder, servers), max(ports.values()), folder):
        yield {name: f"http://localhost:{port}" for name, port in ports.items()}
