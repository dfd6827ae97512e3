"""`crossorigin` is tested in the template's folder, without a generated project.

TEMPLATE_FOLDER names a copy of this folder with a mistake, which the tests must find.
"""

import os
import sys
from pathlib import Path

FOLDER = Path(os.environ.get("TEMPLATE_FOLDER") or Path(__file__).parents[2] / "{{cookiecutter.__project_slug}}")
sys.path.insert(0, str(FOLDER))
