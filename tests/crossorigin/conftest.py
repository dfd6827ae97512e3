"""`crossorigin` is tested where it stands: in the template's folder, with nothing generated.

TEMPLATE_FOLDER names another folder of the same form: a copy with a mistake in it, which the tests must find.
"""

import os
import sys
from pathlib import Path

FOLDER = Path(os.environ.get("TEMPLATE_FOLDER") or Path(__file__).parents[2] / "{{cookiecutter.__project_slug}}")
sys.path.insert(0, str(FOLDER))
