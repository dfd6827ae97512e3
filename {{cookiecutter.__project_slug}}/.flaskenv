# read by every `flask` command; no secrets here, this file is committed
FLASK_APP={{ cookiecutter.__package }}
