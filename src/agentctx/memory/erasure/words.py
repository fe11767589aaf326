"""The words in the pages of SQLite's full-text index, where they cannot be read as text.

FTS5 keeps words lower-cased, stemmed, sorted, and each less what it shares with the one before.
Its pages are read here as https://www.sqlite.org/fts5.html does not tell but its source does
(fts5_index.c, "Leaf page format"), and not through FTS5, which keeps silent of deleted words that
are still in a page.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator

from agentctx.errors import StoreError
from agentctx.memory.erasure.fingerprints import Fingerprints
from agentctx.memory.erasure.windows import Key

INDEX = "passage_words"

# Ids of %_data: segment << 37 | is a list of rows << 36 | height << 31 | page.
_SEGMENT, _NOT_LEAF = 37, (1 << 37) - (1 << 31)
_HEADER = 4
# Which of an index's parts a word is in (there may be others, of prefixes) is its first byte.
_PART = 1


def own_words(db: sqlite3.Connection, texts: Iterable[str], index: str = INDEX) -> list[str]:
    """The words, as indexed, that no passages but these have. To be called before they go.

    ``texts``: of the passages that are to be forgotten, each as often as it is there.
    """
    (sql,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (index,)).fetchone()
    tokenizer = re.search(r"tokenize\s*=\s*(('[^']*')+|\"[^\"]*\")", sql)
    tokenize = f", tokenize = {tokenizer[1]}" if tokenizer else ""
    scratch = sqlite3.connect(":memory:")
    try:
        scratch.execute(f"CREATE VIRTUAL TABLE words USING fts5 (text, content = ''{tokenize})")
        scratch.executemany("INSERT INTO words (text) VALUES (?)", ((text,) for text in texts))
        scratch.execute("CREATE VIRTUAL TABLE rows USING fts5vocab ('words', 'row')")
        own = scratch.execute("SELECT term, doc FROM rows").fetchall()
    finally:
        scratch.close()
    db.execute(f"CREATE VIRTUAL TABLE temp.own_words USING fts5vocab ('main', '{index}', 'row')")
    try:
        count = "SELECT doc FROM temp.own_words WHERE term = ?"
        return [word for word, rows in own if db.execute(count, (word,)).fetchone() == (rows,)]
    finally:
        db.execute("DROP TABLE temp.own_words")


def words_left(db: sqlite3.Connection, fingerprints: Fingerprints, index: str = INDEX) -> list[str]:
    """The forgotten words that the index's pages still have, sorted.

    Those are not meant that were brought back by passages which are there now.
    """
    if not fingerprints.words:
        return []
    key = Key(fingerprints.salt)
    left = {word for word in page_words(db, index) if key.word(word) in fingerprints.words}
    if not left:
        return []
    db.execute(
        f"CREATE VIRTUAL TABLE temp.all_words USING fts5vocab ('main', '{index}', 'instance')"
    )
    try:
        return sorted(word for word in left if not _is_alive(db, word))
    finally:
        db.execute("DROP TABLE temp.all_words")


def _is_alive(db: sqlite3.Connection, word: str) -> bool:
    """Whether passages that are there have the word, and no other ones."""
    (known, alive) = db.execute(
        "SELECT count(*), count(passage.pk) FROM temp.all_words "
        "LEFT JOIN passage ON passage.pk = all_words.doc WHERE term = ?",
        (word,),
    ).fetchone()
    return bool(known) and known == alive


def page_words(db: sqlite3.Connection, index: str = INDEX) -> Iterator[str]:
    """Every word in the index's leaf pages, of deleted rows too; again for each of its segments.

    Raises StoreError for a page that is damaged.
    """
    pages = db.execute(f"SELECT id, block FROM {index}_data WHERE id >= ?", (1 << _SEGMENT,))  # noqa: S608
    for page, block in pages:
        if page & _NOT_LEAF:
            continue
        try:
            yield from _words(block)
        except (IndexError, UnicodeDecodeError) as error:
            raise StoreError(
                f"page {page} of the full-text index {index} is damaged: {error}; remake it with: "
                "agentctx repair"
            ) from error


def _words(block: bytes) -> Iterator[str]:
    """The words of a leaf: where each begins is told behind its rows, as steps."""
    rows_end = int.from_bytes(block[2:_HEADER], "big")
    if not _HEADER <= rows_end <= len(block):
        raise IndexError(f"its rows end at {rows_end} of {len(block)} bytes")
    at, place, before = rows_end, 0, b""
    while at < len(block):
        step, at = _number(block, at)
        place += step
        first = before == b""
        shared, begin = (0, place) if first else _number(block, place)
        fresh, begin = _number(block, begin)
        if begin + fresh > rows_end:
            raise IndexError(f"a word goes on behind the page's rows, at {begin + fresh}")
        before = before[:shared] + block[begin : begin + fresh]
        yield before[_PART:].decode()


def _number(block: bytes, at: int) -> tuple[int, int]:
    """A varint of SQLite (up to 8 bytes of 7 bits, then one of 8), and where it ends."""
    value = 0
    for index in range(8):
        byte = block[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value << 8 | block[at + 8], at + 9
