"""Read `deploy/` of a generated project: the Dockerfile, the compose services and the Kubernetes manifests."""

import json
import re
from functools import cached_property
from typing import Any

import yaml

from tests.baking import BakedProject, tool

KUSTOMIZE = [tool("kubectl"), "kustomize", "deploy/kubernetes/overlays/production", "--output", "production.yaml"]


class DeployFolder:
    """The contents of `deploy/`, parsed."""

    def __init__(self, project: BakedProject) -> None:
        """Read it lazily. kustomize writes `production.yaml` into the project."""
        self.project = project

    def instructions(self, word: str) -> list[str]:
        """Return the arguments of each occurrence of an instruction in the Dockerfile."""
        text = self.project.read("deploy/Dockerfile").replace("\\\n", " ")
        return re.findall(rf"(?m)^{word} +(.+)$", text)

    @cached_property
    def image_settings(self) -> dict[str, str]:
        """The environment of the API's image."""
        last = self.project.read("deploy/Dockerfile").rpartition("\nFROM ")[2].replace("\\\n", " ")
        return dict(pair.split("=", 1) for line in re.findall(r"(?m)^ENV (.+)$", last) for pair in line.split())

    @property
    def command(self) -> list[str]:
        """The command of the API image, in the JSON form without a shell."""
        return list(json.loads(self.instructions("CMD")[-1]))

    @cached_property
    def health_check(self) -> list[str]:
        """The command of the health check."""
        return list(json.loads(self.instructions("HEALTHCHECK")[0].partition(" CMD ")[2]))

    @cached_property
    def env_file(self) -> dict[str, str]:
        """The settings for compose in docs/production.md."""
        return dict(re.findall(r"(?m)^    ([A-Z_]+)=(.*)$", self.project.read("docs/production.md")))

    @cached_property
    def compose(self) -> dict[str, Any]:
        """The compose file, with its anchors resolved."""
        return dict(yaml.safe_load(self.project.read("deploy/compose.yaml")))

    @property
    def services(self) -> dict[str, Any]:
        """The compose services by name."""
        return dict(self.compose["services"])

    @cached_property
    def manifests(self) -> dict[tuple[str, str], Any]:
        """The manifests by kind and name."""
        self.project.check_output(*KUSTOMIZE)
        documents = yaml.safe_load_all(self.project.read("production.yaml"))
        return {(found["kind"], found["metadata"]["name"]): found for found in documents}

    @property
    def pods(self) -> dict[str, Any]:
        """The templates of both pods."""
        both = (("Deployment", "api"), ("Job", "migrate"))
        return {name: self.manifests[kind, name]["spec"]["template"] for kind, name in both}

    @property
    def config_map(self) -> dict[str, str]:
        """The settings of the pods that are not secret."""
        [found] = (manifest for (kind, _), manifest in self.manifests.items() if kind == "ConfigMap")
        return dict(found["data"])

    @property
    def secret_settings(self) -> list[dict[str, Any]]:
        """The settings of the pods that refer to a secret."""
        return [entry for pod in self.pods.values() for entry in pod["spec"]["containers"][0]["env"]]
