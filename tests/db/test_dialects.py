"""The dialects of database systems: queries know none of them."""

import re
from pathlib import Path

import pytest

import engine.db

FOLDER = Path(engine.db.__file__).parent
# Text search is FTS5 through and through; a second system brings its own.
QUERIES = sorted(path for path in FOLDER.glob("*.py") if path.name != "text_search.py")
SQLITE_ONLY = re.compile(
    r"\bsqlite|\bPRAGMA\b|OR REPLACE|\binstr\b|group_concat|lastrowid|AUTOINCREMENT|BEGIN IMMEDIATE|AS BLOB"
)
QUOTED_OR_COMMENT = re.compile(r'"""(?:.|\n)*?"""|#.*')


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.name)
def test_queries_hold_no_words_of_one_system(path: Path) -> None:
    """Outside `engine.db.dialects` no code uses SQL, a function or a module of SQLite alone."""
    code = QUOTED_OR_COMMENT.sub("", path.read_text())
    assert SQLITE_ONLY.findall(code) == []
