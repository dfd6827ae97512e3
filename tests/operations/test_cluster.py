"""Two servers with two workers each, PostgreSQL, Redis and Caddy behave as one API."""

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
    """Return the statuses that a user gets from the workers. Each new connection can reach another worker."""
    clients = [server.client().copy_cookie(signed_in) for server in cluster.servers for _ in range(8)]
    return {client.request("GET", path).status for client in clients}


def test_a_sign_in_on_one_server_is_valid_on_all(cluster: Cluster) -> None:
    first, second = (server.client() for server in cluster.servers)
    assert first.sign_in().status == 200
    assert get_statuses(cluster, first) == {200}
    written = first.request("POST", "/api/notes", {"title": "by the first"})
    read = second.copy_cookie(first).request("GET", f"/api/notes/{written.json['id']}")
    assert (read.json, read.headers["ETag"]) == (written.json, written.headers["ETag"])
    assert first.request("POST", "/api/auth/logout").status == 204
    assert get_statuses(cluster, second) == {401}


def test_an_update_with_an_outdated_etag_is_refused_by_another_server(cluster: Cluster) -> None:
    first, second = (server.client().copy_cookie(cluster.client) for server in cluster.servers)
    written = first.request("POST", "/api/notes", {"title": "for two"})
    place, seen = f"/api/notes/{written.json['id']}", {"If-Match": written.headers["ETag"]}
    assert second.request("PATCH", place, {"body": "of the second"}, **seen).status == 200
    assert first.request("PATCH", place, {"body": "of the first"}, **seen).status == 412
    assert first.request("GET", place).json["body"] == "of the second"


def test_a_password_change_signs_out_on_all_servers(cluster: Cluster) -> None:
    project, settings = cluster.servers[0].project, cluster.servers[0].settings
    flask_user(project, settings, "create", "grace", PASSWORD)
    clients = [server.client() for server in cluster.servers]
    assert [client.sign_in("grace").status for client in clients] == [200, 200]
    flask_user(project, settings, "password", "grace", "another password")
    assert [get_statuses(cluster, client) for client in clients] == [{401}, {401}]
    assert clients[0].sign_in("grace").status == 401
    assert clients[1].sign_in("grace", "another password").status == 200
    assert get_statuses(cluster, cluster.client) == {200}  # other users stay signed in


def test_all_workers_share_the_rate_limit_of_an_address(cluster: Cluster) -> None:
    """Caddy forwards the address. X-Forwarded-For of the client is not trusted."""
    found = []
    for number in range(31):
        client = cluster.caddy.client("127.0.0.2")
        client.headers["X-Forwarded-For"] = f"192.0.2.{number}"
        found.append(client.sign_in(f"user {number}"))
    assert [answer.status for answer in found] == [401] * 30 + [429]
    assert 0 < int(found[-1].headers["Retry-After"]) <= 60
    assert cluster.caddy.client("127.0.0.3").sign_in("user 0").status == 401


def test_a_migration_during_traffic_fails_no_request(cluster: Cluster, tmp_path: Path) -> None:
    project = cluster.servers[0].project
    release = shutil.copytree(project.path, tmp_path / "next", ignore=shutil.ignore_patterns(".venv", "node_modules"))
    migrations = release / project.package / "migrations"
    newest = max(path.stem for path in migrations.glob("[0-9]*.py")).partition("_")[0]
    (migrations / "9999_colours.py").write_text(MIGRATION.format(newest), "utf-8")
    # writes only: a read ends with a rollback, at which psycopg drops prepared statements
    with writing([cluster.caddy.client], cluster.client, pause=0.02, reads=False) as writers:
        writers.wait_for_writes(200)
        upgrade = [project.python, "-m", "flask", "db", "upgrade"]
        BakedProject(release, (), ()).check_output(*upgrade, env=cluster.servers[0].settings)
        writers.wait_for_writes(100)
    assert writers.get_failures() == []
    writers.check(cluster.get_titles())
    assert cluster.postgresql.sql("SELECT count(colour) FROM user_account, label", cluster.database) == "0\n"


def test_a_rolling_restart_with_a_new_key_fails_no_read_and_keeps_all_sessions(cluster: Cluster) -> None:
    """Caddy learns of the stop late, so a write at that moment can get a 502."""
    clients = [cluster.client]
    with writing([cluster.caddy.client], cluster.client, pause=0.02) as writers:
        for server in cluster.servers:
            server.stop()
            server.settings |= {"SECRET_KEY": cluster.next_key, "SECRET_KEY_FALLBACKS": cluster.key}
            server.start()
            clients += [server.client() for server in cluster.servers]
            assert {client.sign_in().status for client in clients[-2:]} == {200}
            assert [get_statuses(cluster, client) for client in clients] == [{200}] * len(clients)
            writers.wait_for_writes(20)
    assert {(bool(attempt.title), attempt.status) for attempt in writers.get_failures()} <= {(True, 502)}
    assert len(writers.get_failures()) <= len(writers.clients) * len(cluster.servers)
    writers.check(cluster.get_titles())
