"""Cross-origin resource sharing: each blueprint declares its own CORS policy.

The files that serve requests, in reading order: `declare.py` (the call beside a blueprint), `policy.py`
(the policy that is built from it), `rules.py` and `origins.py` (what is refused, and what to write instead),
`prefixes.py` and `overlaps.py` (which policy decides), `setup.py` (`init_cors`), `preflight.py` (the layer
in front that answers preflights), `headers.py` (the headers of responses).
The code that explains requests is in `doctor/`. The standard: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from .declare import cors as cors
from .declare import find_policy as find_policy
from .declare import get_policies as get_policies
from .dry_run import is_dry_run as is_dry_run
from .headers import cors_headers_writer as cors_headers_writer
from .hints import Hints as Hints
from .origins import origin_problem as origin_problem
from .policy import FromConfig as FromConfig
from .policy import Policy as Policy
from .policy import PolicyError as PolicyError
from .setup import init_cors as init_cors
