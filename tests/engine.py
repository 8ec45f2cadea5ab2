"""The real engine under the tests: one PostgreSQL per test worker, migrated once, its rows wiped before each test.

`wipe` puts back what the migrations themselves inserted. Durability is off here; crash tests start a server of their
own with `fsync=True`.
"""

import contextlib
import shutil
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from waystream.kernel import migrations
from waystream.kernel.database import Database
from waystream.kernel.lifecycle import EmbeddedPostgres

LIST_TABLES = """
    select relname from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
      and relname <> 'migration'
    order by relname
"""


class Engine:
    """A running, migrated PostgreSQL with one pool per role."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = EmbeddedPostgres(folder / "data", key_folder=folder / "keys", fsync=False)
        self._open = contextlib.ExitStack()

    def start(self) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, self.folder)
            stack.enter_context(self.postgres)
            migrations.migrate(self.postgres.owner_url)
            self._admin = stack.enter_context(psycopg.connect(self.admin_url, autocommit=True))
            self._wipe = self._prepare_wipe()
            self.machine = Database(self.postgres.machine_url, role="test machine")
            self.page = Database(self.postgres.page_url, role="test page", max_size=4)
            for database in (self.machine, self.page):
                stack.callback(database.close)
                database.open()
            self._open = stack.pop_all()

    def stop(self) -> None:
        self._open.close()

    @property
    def admin_url(self) -> str:
        """The superuser in the application's database: for looking, locking and killing sessions in tests."""
        return make_conninfo(self.postgres.admin_url, dbname="waystream")

    def wipe(self) -> None:
        """Every table as it was after the migrations, in one round trip."""
        self._admin.execute(self._wipe)

    def _prepare_wipe(self) -> sql.Composed:
        """Foreign keys and triggers sleep in the admin's session, so the order of the tables does not matter."""
        self._admin.execute("set session_replication_role = replica; set lock_timeout = '10s'")
        self._admin.execute("create schema seed")
        statements: list[sql.Composable] = []
        for (name,) in self._admin.execute(LIST_TABLES).fetchall():
            table, seed = sql.Identifier("public", name), sql.Identifier("seed", name)
            statements.append(sql.SQL("delete from {}").format(table))
            self._admin.execute(sql.SQL("create table {} as table {}").format(seed, table))
            if self._admin.execute(sql.SQL("select 1 from {} limit 1").format(seed)).fetchone():
                refill = sql.SQL("insert into {} overriding system value table {}")
                statements.append(refill.format(table, seed))
        return sql.SQL("begin; {}; commit").format(sql.SQL("; ").join(statements))
