"""Write the names of installed packages into the hook that refuses them: `python -m scripts.installed_names`."""

import re
import tempfile
import textwrap
import tomllib
from pathlib import Path

from tests.baking import BakedProject, bake

HOOK = Path(__file__).parents[1] / "hooks" / "pre_gen_project.py"
LISTED = re.compile(r'(?<=INSTALLED = set\(\n    """)[a-z0-9\s-]+')
INSTALLERS = {"pip", "pkg-resources", "setuptools", "uv", "wheel"}  # packages that a virtual environment can contain
MODULES = """
import importlib.metadata, pkgutil, sysconfig
print(*importlib.metadata.packages_distributions())
print(*(module.name for module in pkgutil.iter_modules([sysconfig.get_path("purelib")])))
"""


def main() -> None:
    """Install a project with all extras and write the names into the hook."""
    with tempfile.TemporaryDirectory() as folder:
        project = bake(Path(folder))
        project.check_output("uv", "sync", "--quiet", "--all-extras")
        names = " ".join(sorted(get_installed_names(project)))
    lines = textwrap.fill(names, 112, subsequent_indent="    ", break_on_hyphens=False, break_long_words=False)
    HOOK.write_text(LISTED.sub(lines, HOOK.read_text("utf-8")), "utf-8", newline="\n")


def get_listed_names() -> set[str]:
    """Return the names that the hook refuses."""
    [names] = LISTED.findall(HOOK.read_text("utf-8"))
    return set(names.split())


def get_installed_names(project: BakedProject) -> set[str]:
    """Return the names of all distributions and modules of an installed project, as slugs.

    `uv.lock` has the distributions for every system and Python version, the environment has the modules.
    """
    metadata = tomllib.loads(project.read("pyproject.toml"))
    lock = tomllib.loads(project.read("uv.lock"))
    requires = project.path / "build-requires.txt"
    requires.write_text("\n".join(metadata["build-system"]["requires"]), "utf-8")
    building = project.check_output("uv", "pip", "compile", "--quiet", "--universal", "--no-annotate", requires.name)
    requires.unlink()
    found = {package["name"] for package in lock["package"]} | INSTALLERS
    found |= set(re.findall(r"(?m)^([\w.-]+)==", building))
    found |= set(project.check_output(project.python, "-c", MODULES).split())
    slugs = {re.sub("[-_.]+", "-", name).lower() for name in found}
    return {slug for slug in slugs if re.fullmatch("[a-z][a-z0-9-]*", slug)} - {project.path.name, "crossorigin"}


if __name__ == "__main__":
    main()
