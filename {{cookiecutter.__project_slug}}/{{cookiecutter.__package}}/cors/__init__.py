"""Cross-origin resource sharing: each blueprint declares who may call it from another origin.

In the order of reading: `declare.py` (the call beside a blueprint), `policy.py` (what it becomes),
`rules.py` and `origins.py` (what is refused, and what to write instead), `preflight.py` (the
question that browsers ask first), `engine.py` (the headers of responses).
Then what tells why: `fetch.py` (what browsers decide), `explain.py` (their way, step by step), `exchange.py`
(who is asked), `rehearsal.py` (which no log counts), `cures.py` (what to write where), `misfits.py` (what
does not fit), `cli.py` (`flask cors`).
The standard: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from .declare import cors, find_policy
from .policy import FromConfig, PolicyError
from .setup import init_cors

__all__ = ["FromConfig", "PolicyError", "cors", "find_policy", "init_cors"]
