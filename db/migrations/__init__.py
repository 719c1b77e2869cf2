"""Bring a library of an earlier schema version up to date, by Alembic.

Each version has a script in `versions`, which changes the tables of its time: scripts never use the current tables.
All steps run in the caller's transaction: a crash leaves the library as it was.
"""

from pathlib import Path

from sqlalchemy import Connection

FOLDER = Path(__file__).parent


def upgrade(connection: Connection, version: int) -> None:
    """Run the scripts after a schema version, in order."""
    # Imported here: an up-to-date library, the usual case, is opened without them.
    from alembic.config import Config
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    steps = {"fn": lambda revision, _: scripts._upgrade_revs("head", revision)}
    context = MigrationContext.configure(connection, opts=steps)
    context.stamp(scripts, str(version))
    with Operations.context(context):
        context.run_migrations()
