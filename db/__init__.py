"""The library: one SQLite file, the authoritative record of the user's music; every query of it is a function here.

`open_database` gives a `Database`. Inside `with database.read() as connection` or `with database.write() as connection`
pass the connection to any of the functions below. That block raises `engine.errors.LibraryError` when the file cannot
be read or written or is damaged. Values go in as bound parameters only.

The names are declared in `__init__.pyi` and load on first use: decoder processes import only `engine.db.text`, and
must not wait for SQLAlchemy.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
