# Every `flask` command reads this file. Do not write secrets here: the file is committed.
FLASK_APP={{ cookiecutter.__package }}
