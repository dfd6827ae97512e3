"""usernames are unique in any case and Unicode form"""

import unicodedata

import sqlalchemy as sa
from alembic import op
from click import ClickException

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("user_account") as batch:
        batch.add_column(sa.Column("username_key", sa.String(), nullable=True))
    users = sa.table("user_account", sa.column("id"), sa.column("username"), sa.column("username_key"))
    connection = op.get_bind()
    same: dict[str, list[tuple[int, str]]] = {}
    for user_id, name in connection.execute(sa.select(users.c.id, users.c.username).order_by(users.c.id)):
        same.setdefault(normalize(name), []).append((user_id, name))
    check_collisions([named for named in same.values() if len(named) > 1])
    for key, [(user_id, _)] in same.items():
        connection.execute(users.update().where(users.c.id == user_id).values(username_key=key))
    with op.batch_alter_table("user_account") as batch:
        batch.alter_column("username_key", existing_type=sa.String(), nullable=False)
        batch.create_unique_constraint("uq_user_account_username_key", ["username_key"])
        batch.drop_constraint("uq_user_account_username", type_="unique")


def downgrade() -> None:
    with op.batch_alter_table("user_account") as batch:
        batch.create_unique_constraint("uq_user_account_username", ["username"])
        batch.drop_constraint("uq_user_account_username_key", type_="unique")
        batch.drop_column("username_key")


def normalize(name: str) -> str:
    """Return what `users.normalize_name` returned when this migration was written."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def check_collisions(collisions: list[list[tuple[int, str]]]) -> None:
    """Raise an error if several names have one key. The transaction is rolled back."""
    if not collisions:
        return
    lines = ["  - " + ", ".join(f"{name!r} (id {user_id})" for user_id, name in same) for same in collisions]
    raise ClickException(
        "these usernames differ only in case or Unicode form:\n"
        + "\n".join(lines)
        + "\nRename all but one on each line, for example with this SQL statement:\n"
        f"  UPDATE user_account SET username = 'another name' WHERE id = {collisions[0][-1][0]};\n"
        "Then run `flask db upgrade` again. Nothing has been changed."
    )
