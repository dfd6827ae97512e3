"""Explain requests: the browser's decisions step by step, the commands `flask cors`, and an endpoint.

In reading order: `browser.py` (what a browser decides), `no_cors.py` (the same without CORS), `transport.py`
(how requests are sent), `trace.py` (all steps), `answered.py` (who answered), `fixes.py`, `own_fixes.py`
and `other_layers.py` (what to write), `source.py`, `checks.py` (inconsistencies), `cli.py`, `endpoint.py`.
"""
