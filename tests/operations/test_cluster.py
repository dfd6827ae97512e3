"""Two servers of two workers each, with PostgreSQL and Redis, behind the Caddyfile of the project: one API."""

import shutil
from pathlib import Path

from tests.baking import BakedProject
from tests.client import PASSWORD, Client
from tests.operations.cluster import Cluster
from tests.operations.writers import writing
from tests.serving import flask_user

MIGRATION = '''"""colours"""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{}"


def upgrade():
    op.alter_column("user_account", "username", type_=sa.String(200))
    op.add_column("user_account", sa.Column("colour", sa.String(16)))
    op.create_table("label", sa.Column("id", sa.Integer, primary_key=True))
'''


def get_statuses(cluster: Cluster, signed_in: Client, path: str = "/api/auth/me") -> set[int]:
    """Return what a person is answered by every worker: a new connection may come to any of them."""
    clients = [server.client().copy_cookie(signed_in) for server in cluster.servers for _ in range(8)]
    return {client.request("GET", path).status for client in clients}


def test_a_sign_in_on_one_counts_on_all(cluster: Cluster) -> None:
    first, second = (server.client() for server in cluster.servers)
    assert first.sign_in().status == 200
    assert get_statuses(cluster, first) == {200}
    written = first.request("POST", "/api/notes", {"title": "by the first"})
    read = second.copy_cookie(first).request("GET", f"/api/notes/{written.json['id']}")
    assert (read.json, read.headers["ETag"]) == (written.json, written.headers["ETag"])
    assert first.request("POST", "/api/auth/logout").status == 204
    assert get_statuses(cluster, second) == {401}


def test_an_update_that_another_server_overtook_is_refused(cluster: Cluster) -> None:
    first, second = (server.client().copy_cookie(cluster.client) for server in cluster.servers)
    written = first.request("POST", "/api/notes", {"title": "for two"})
    place, seen = f"/api/notes/{written.json['id']}", {"If-Match": written.headers["ETag"]}
    assert second.request("PATCH", place, {"body": "of the second"}, **seen).status == 200
    assert first.request("PATCH", place, {"body": "of the first"}, **seen).status == 412
    assert first.request("GET", place).json["body"] == "of the second"


def test_a_changed_password_signs_out_everywhere(cluster: Cluster) -> None:
    project, settings = cluster.servers[0].project, cluster.servers[0].settings
    flask_user(project, settings, "create", "grace", PASSWORD)
    clients = [server.client() for server in cluster.servers]
    assert [client.sign_in("grace").status for client in clients] == [200, 200]
    flask_user(project, settings, "password", "grace", "another password")
    assert [get_statuses(cluster, client) for client in clients] == [{401}, {401}]
    assert clients[0].sign_in("grace").status == 401
    assert clients[1].sign_in("grace", "another password").status == 200
    assert get_statuses(cluster, cluster.client) == {200}  # everybody else stays


def test_all_workers_count_the_attempts_of_an_address_together(cluster: Cluster) -> None:
    """Caddy hands the address on, and what a client claims to be its address is not believed."""
    found = []
    for number in range(31):
        client = cluster.caddy.client("127.0.0.2")
        client.headers["X-Forwarded-For"] = f"192.0.2.{number}"
        found.append(client.sign_in(f"user {number}"))
    assert [answer.status for answer in found] == [401] * 30 + [429]
    assert 0 < int(found[-1].headers["Retry-After"]) <= 60
    assert cluster.caddy.client("127.0.0.3").sign_in("user 0").status == 401


def test_a_migration_while_serving_fails_no_request(cluster: Cluster, tmp_path: Path) -> None:
    project = cluster.servers[0].project
    release = shutil.copytree(project.path, tmp_path / "next", ignore=shutil.ignore_patterns(".venv", "node_modules"))
    migrations = release / project.package / "migrations"
    newest = max(path.stem for path in migrations.glob("[0-9]*.py")).partition("_")[0]
    (migrations / "9999_colours.py").write_text(MIGRATION.format(newest), "utf-8")
    # nothing but writes: a read ends by a rollback, at which psycopg drops what it has prepared
    with writing([cluster.caddy.client], cluster.client, pause=0.02, reads=False) as writers:
        writers.wait_for_writes(200)
        upgrade = [project.python, "-m", "flask", "db", "upgrade"]
        BakedProject(release, (), ()).check_output(*upgrade, env=cluster.servers[0].settings)
        writers.wait_for_writes(100)
    assert writers.get_failures() == []
    writers.check(cluster.get_titles())
    assert cluster.postgresql.sql("SELECT count(colour) FROM user_account, label", cluster.database) == "0\n"


def test_a_rolling_restart_with_a_new_key_fails_no_read_and_signs_nobody_out(cluster: Cluster) -> None:
    """Nothing tells Caddy before the stop, so a write that arrives at that moment may be answered 502."""
    people = [cluster.client]
    with writing([cluster.caddy.client], cluster.client, pause=0.02) as writers:
        for server in cluster.servers:
            server.stop()
            server.settings |= {"SECRET_KEY": cluster.next_key, "SECRET_KEY_FALLBACKS": cluster.key}
            server.start()
            people += [server.client() for server in cluster.servers]
            assert {person.sign_in().status for person in people[-2:]} == {200}
            assert [get_statuses(cluster, person) for person in people] == [{200}] * len(people)
            writers.wait_for_writes(20)
    assert {(bool(attempt.title), attempt.status) for attempt in writers.get_failures()} <= {(True, 502)}
    assert len(writers.get_failures()) <= len(writers.clients) * len(cluster.servers)
    writers.check(cluster.get_titles())
