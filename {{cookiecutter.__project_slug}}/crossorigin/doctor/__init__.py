"""What explains: the browser's decisions step by step, the commands `flask cors`, and an endpoint.

In the order of reading: `browser.py` (what a browser decides), `transport.py` (how requests are sent),
`trace.py` (step by step), `fixes.py` and `other_layers.py` (what to write instead), `source.py` (what the
source says), `checks.py` (what is inconsistent), `cli.py`, `endpoint.py`.
"""
