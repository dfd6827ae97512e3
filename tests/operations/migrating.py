"""Upgrade and downgrade a database with data. The Python of a generated project runs this in its folder.

`test_migrations.py` has changed the models of that project as a student does.
"""

import importlib
import sys

from sqlalchemy import inspect, text

TABLES = ("user_account", "note", "login_session")
# rows as the first release of the template wrote them
DATA = (
    "INSERT INTO user_account VALUES (1, 'ada', 'hash', '2026-01-01 00:00:00')",
    "INSERT INTO note VALUES (1, 1, 'kept', 'body', '2026-01-01 00:00:00', '2026-01-01 00:00:00', 1)",
    "INSERT INTO login_session VALUES ('key', 1, '2036-01-01 00:00:00')",
)


def main() -> None:
    """Upgrade from the first release to a migration of the student, and downgrade."""
    package = importlib.import_module(sys.argv[1])
    db = importlib.import_module(f"{sys.argv[1]}.extensions").db
    app = package.create_app()

    def flask(*words: str) -> str:
        result = app.test_cli_runner().invoke(args=words)
        assert result.exit_code == 0, (words, result.output, result.exception)
        return str(result.output)

    def rows() -> list[int]:
        with app.app_context(), db.engine.connect() as connection:
            return [connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in TABLES]

    def columns() -> set[str]:
        with app.app_context():
            return {column["name"] for column in inspect(db.engine).get_columns("note")}

    flask("db", "upgrade", "0001")
    with app.app_context(), db.engine.begin() as connection:
        for statement in DATA:
            connection.execute(text(statement))
    flask("db", "upgrade")
    flask("db", "revision", "colours")
    for words, coloured in (("upgrade", True), ("downgrade", False), ("upgrade", True)):
        flask("db", words)
        assert rows() == [1, 1, 1], (words, rows())
        assert ("colour" in columns()) is coloured
    assert "No changes detected" in flask("db", "check")
    flask("db", "downgrade", "0001")
    assert rows() == [1, 1, 1]
    flask("db", "downgrade", "base")
    flask("db", "upgrade")
    assert rows() == [0, 0, 0]
    assert "No changes detected" in flask("db", "check")


if __name__ == "__main__":
    main()
