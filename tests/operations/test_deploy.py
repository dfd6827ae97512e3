"""`deploy/` is valid for its tools, secure and consistent with the settings.

These tests need no container engine and no cluster. test_deploy_runs.py runs the parts that work without them.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.baking import BakedProject, tool
from tests.operations.deploy_folder import KUSTOMIZE, DeployFolder

# one combination for each variant of deploy/, all with the manifests
COMBINATIONS = ["interceptor", "proxy", "proxy-without-front-end", "awkward-answers"]
CHECKS = {
    "hadolint": [tool("hadolint"), "--no-color", "deploy/Dockerfile"],
    "compose": [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml"],
    "caddy": [tool("caddy"), "validate", "--config", "deploy/Caddyfile"],
    "caddy fmt": [tool("caddy"), "fmt", "deploy/Caddyfile"],
    "kustomize": KUSTOMIZE,
    "kubernetes": [tool("kubernetes-validate"), "--strict", "-k", "1.37", "production.yaml"],
}
# variables of containers that are not settings of the API
OTHERS = set("SITE API_SITE API VITE_API_URL POSTGRES_USER POSTGRES_DB POSTGRES_PASSWORD FLASK_APP".split())


@pytest.fixture(scope="module", params=COMBINATIONS)
def deploy(
    request: pytest.FixtureRequest, get_baked: Callable[[str], BakedProject], tmp_path_factory: pytest.TempPathFactory
) -> DeployFolder:
    """Return a copy of each combination, for the output of kustomize."""
    original = get_baked(request.param)
    copy = BakedProject(tmp_path_factory.mktemp("deploy") / original.path.name, original.files, ())
    shutil.copytree(original.path, copy.path, ignore=shutil.ignore_patterns("node_modules", ".venv"))
    return DeployFolder(copy)


@pytest.mark.parametrize("check", CHECKS)
def test_the_tool_finds_no_problem(deploy: DeployFolder, check: str) -> None:
    assert deploy.manifests
    said = deploy.project.check_output(*CHECKS[check], env={"XDG_DATA_HOME": str(deploy.project.path.parent)})
    if check == "caddy fmt":
        assert said == deploy.project.read("deploy/Caddyfile")


# mistakes that each tool must find: file, correct text, wrong text, finding
MISTAKES = [
    ("hadolint", "Dockerfile", "python:3[^ ]+", "python", "DL3006"),
    ("hadolint", "Dockerfile", r'CMD \["python", "-m", "my_lab_api"\]', "CMD python -m my_lab_api", "DL3025"),
    ("compose", "compose.yaml", "read_only", "readonly", "'readonly' (was|is) unexpected|does not match"),
    ("caddy", "Caddyfile", "request_buffers", "request_buffer", "unrecognized subdirective"),
    ("caddy fmt", "Caddyfile", "\t\trequest_buffers", "request_buffers", ""),
    ("kustomize", "kubernetes/base/kustomization.yaml", "migrate.yaml", "migrations.yaml", "migrations.yaml"),
    ("kubernetes", "kubernetes/base/api.yaml", "readinessProbe", "readynessProbe", "readynessProbe"),
    ("kubernetes", "kubernetes/base/api.yaml", "minReplicas: 2", "minReplicas: two", "'two' is not of type"),
]


@pytest.mark.parametrize(("check", "name", "right", "wrong", "finding"), MISTAKES)
def test_the_tool_finds(
    get_baked: Callable[[str], BakedProject],
    tmp_path: Path,
    check: str,
    name: str,
    right: str,
    wrong: str,
    finding: str,
) -> None:
    copy = BakedProject(tmp_path, (), ())
    shutil.copytree(get_baked("interceptor").path / "deploy", tmp_path / "deploy")
    text, changes = re.subn(right, wrong, copy.read(f"deploy/{name}"))
    assert changes
    (tmp_path / "deploy" / name).write_text(text, "utf-8")
    if check == "kubernetes":
        copy.check_output(*KUSTOMIZE)
    done = copy.run(*CHECKS[check])
    assert done.stdout != text if check == "caddy fmt" else done.returncode
    assert re.search(finding, done.stdout), done.stdout


def test_the_api_reads_every_setting(deploy: DeployFolder) -> None:
    given = {name for service in deploy.services.values() for name in service.get("environment", {})}
    given |= {entry["name"] for entry in deploy.secret_settings} | set(deploy.config_map) | set(deploy.env_file)
    given |= {name for name in deploy.image_settings if not name.startswith(("PATH", "PYTHON", "MALLOC"))}
    assert {"TRUSTED_PROXIES", "DATABASE_URL", "SECRET_KEY", "FRONTEND_ORIGINS"} <= given - OTHERS
    code, page = deploy.project.read(f"{deploy.project.package}/config.py"), deploy.project.read("docs/production.md")
    assert {name for name in given - OTHERS if f"    {name} = " not in code} == set()
    assert {name for name in given - OTHERS if f"`{name}`" not in page} == set()


def test_compose_needs_exactly_the_documented_settings(deploy: DeployFolder) -> None:
    required = set(re.findall(r"\$\{([A-Z_]+)", deploy.project.read("deploy/compose.yaml")))
    for_the_api = {"SECRET_KEY", "FRONTEND_ORIGINS"}  # passed by env_file, which accepts every setting
    assert required | for_the_api | {"VITE_API_URL"} == set(deploy.env_file)
    given = deploy.services["caddy"]["build"].get("args", {})
    assert [f'{name}=""' for name in given] == deploy.instructions("ARG")


def test_ports_are_consistent(deploy: DeployFolder) -> None:
    port = deploy.image_settings["PORT"]
    assert deploy.instructions("EXPOSE") == [port]
    assert f"http://127.0.0.1:{port}/health/live" in deploy.health_check[-1]
    caddy, servers = deploy.services["caddy"], [name for name in deploy.services if name.startswith("api")]
    assert caddy["environment"]["API"].split() == [f"{name}:{port}" for name in servers]
    assert list(caddy["depends_on"]) == servers
    [container] = deploy.pods["api"]["spec"]["containers"]
    [opened] = container["ports"]
    probes = [container[f"{name}Probe"]["httpGet"]["port"] for name in ("startup", "liveness", "readiness")]
    [to_pods] = deploy.manifests["Service", "api"]["spec"]["ports"]
    assert str(opened["containerPort"]) == port
    assert {*probes, to_pods["targetPort"]} == {opened["name"]}
    [route] = deploy.manifests["Ingress", "api"]["spec"]["rules"][0]["http"]["paths"]
    assert route["backend"]["service"] == {"name": "api", "port": {"name": to_pods["name"]}}
    assert deploy.manifests["NetworkPolicy", "api"]["spec"]["ingress"] == [{"ports": [{"port": int(port)}]}]


def test_references_between_manifests_are_consistent(deploy: DeployFolder) -> None:
    found = {name: manifest for (kind, name), manifest in deploy.manifests.items()}
    assert set(found) == {"api", "migrate", *(name for name in found if name.startswith("settings-"))}
    api, migrate = (deploy.pods[name]["metadata"]["labels"].items() for name in ("api", "migrate"))
    service = deploy.manifests["Service", "api"]["spec"]["selector"]
    budget = deploy.manifests["PodDisruptionBudget", "api"]["spec"]["selector"]["matchLabels"]
    assert service == budget
    assert service.items() <= api
    assert not service.items() <= migrate
    policy = deploy.manifests["NetworkPolicy", "api"]["spec"]["podSelector"]["matchLabels"]
    assert policy.items() <= api & migrate
    scaled = deploy.manifests["HorizontalPodAutoscaler", "api"]["spec"]["scaleTargetRef"]
    assert (
        "replicas" not in deploy.manifests[scaled["kind"], scaled["name"]]["spec"]
    )  # each release would reset the number
    for pod in deploy.pods.values():
        [source] = pod["spec"]["containers"][0]["envFrom"]
        assert ("ConfigMap", source["configMapRef"]["name"]) in deploy.manifests
    ingress = deploy.manifests["Ingress", "api"]["spec"]
    hosts = deploy.config_map["TRUSTED_HOSTS"].split(",")
    assert [rule["host"] for rule in ingress["rules"]] == ingress["tls"][0]["hosts"] == hosts


def test_the_shutdown_timeouts_allow_running_requests_to_finish(deploy: DeployFolder) -> None:
    main = deploy.project.read(f"{deploy.project.package}/__main__.py")
    [last_requests] = map(int, re.findall(r"workers_kill_timeout=(\d+)", main))
    for name in ("api-1", "api-2"):
        assert last_requests < int(deploy.services[name]["stop_grace_period"].removesuffix("s"))
    spec = deploy.pods["api"]["spec"]
    pause = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 5 <= pause < pause + last_requests < spec["terminationGracePeriodSeconds"]


def test_caddy_closes_an_idle_connection_before_the_api(deploy: DeployFolder) -> None:
    """Otherwise Caddy can send a request on a connection that is being closed, and respond with 502."""
    [kept] = re.findall(r"\n\t+keepalive (\d+)s\n", deploy.project.read("deploy/Caddyfile"))
    [waits] = re.findall(r"header_read_timeout=([\d_]+)", deploy.project.read(f"{deploy.project.package}/__main__.py"))
    assert int(kept) * 1000 < int(waits)


def test_the_documentation_uses_wsgi_py_and_not_create_app(deploy: DeployFolder) -> None:
    """`gunicorn 'my_lab_api:create_app()'` would serve the development settings."""
    texts = [name for name in deploy.project.files if name.endswith((".md", "Dockerfile", ".yaml"))]
    assert {"README.md", "docs/production.md"} <= set(texts)
    assert [name for name in texts if re.search(r":create_app|create_app\(\)'", deploy.project.read(name))] == []
    assert "wsgi:app" in deploy.project.read("README.md")
    assert "wsgi:app" in deploy.project.read("docs/production.md")


def test_each_compose_service_has_minimal_privileges(deploy: DeployFolder) -> None:
    users = deploy.instructions("USER")
    assert [bool(re.fullmatch(r"[1-9]\d*:\d+", user)) for user in users] == [True, True]
    for name, service in deploy.services.items():
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service.get("user", users[1])), name
        assert service["read_only"] is True, name
        assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"]), name
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else []), name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        assert "user" in service or "build" in service, name


def test_only_caddy_publishes_ports(deploy: DeployFolder) -> None:
    assert [name for name, network in deploy.compose["networks"].items() if network.get("internal")] == ["data"]
    outside = {name: service["networks"] for name, service in deploy.services.items() if "web" in service["networks"]}
    assert outside == {"caddy": ["web"], "api-1": ["web", "data"], "api-2": ["web", "data"]}
    assert [name for name, service in deploy.services.items() if "ports" in service] == ["caddy"]


def test_each_pod_meets_the_restricted_pod_security_standard(deploy: DeployFolder) -> None:
    for name, pod in deploy.pods.items():
        spec, [container] = pod["spec"], pod["spec"]["containers"]
        security = spec["securityContext"]
        assert f"{security['runAsUser']}:{security['runAsGroup']}" == deploy.instructions("USER")[1], name
        assert (security["runAsNonRoot"], security["seccompProfile"]) == (True, {"type": "RuntimeDefault"}), name
        rights = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
        assert container["securityContext"] == rights, name
        assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False), name
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
        assert "memory" in container["resources"]["limits"], name


def test_no_file_contains_a_secret(deploy: DeployFolder) -> None:
    assert "Secret" not in {kind for kind, _ in deploy.manifests}
    for entry in deploy.secret_settings:
        assert entry == {"name": entry["name"], "valueFrom": entry["valueFrom"]}  # and no value
        assert entry["valueFrom"]["secretKeyRef"]["key"] == entry["name"]
    written = [*deploy.config_map.items(), *deploy.image_settings.items(), *deploy.env_file.items()]
    written += [pair for service in deploy.services.values() for pair in service.get("environment", {}).items()]
    secret = {pair for pair in written if re.search("SECRET|PASSWORD", pair[0]) or re.search("//.*:.*@", pair[1])}
    assert len(secret) == 4
    assert {value for _, value in secret if value != "…" and "${POSTGRES_PASSWORD:?" not in value} == set()


def test_every_image_has_a_version(deploy: DeployFolder) -> None:
    images = [line.split()[0] for line in deploy.instructions("FROM")]
    images += [service["image"] for service in deploy.services.values() if "build" not in service]
    assert [image for image in images if not re.search(r":\d+\.\d+", image)] == []
    caddy = deploy.project.check_output(tool("caddy"), "version").split()[0].removeprefix("v")
    assert f"caddy:{caddy}-alpine" in images  # the version that the tests run


def test_the_build_context_has_what_the_image_needs_and_no_secret(deploy: DeployFolder) -> None:
    project, lines = deploy.project, deploy.project.read(".dockerignore").splitlines()
    allowed = [line[1:] for line in lines if line.startswith("!")]
    copies = [line.split()[:-1] for line in deploy.instructions("COPY") if not line.startswith("--from")]
    for source in (source.removesuffix("*") for sources in copies for source in sources):
        assert any(source == name or source.startswith(f"{name}/") for name in allowed), source
        assert (project.path / source).exists() or source in ("uv.lock", "LICENSE"), source
    assert (lines[1], "**/.env" in lines) == ("*", True)
    project.check_output("git", "check-ignore", "--no-index", "deploy/.env")


def test_the_image_starts_the_server_without_a_shell(deploy: DeployFolder) -> None:
    assert deploy.command == ["python", "-m", deploy.project.package]
