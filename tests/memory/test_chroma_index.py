"""Chroma's files, damaged so that it does not open them, and made anew by the same process."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from agentctx.errors import StoreError
from agentctx.memory.chroma import ChromaIndex, IndexRow
from agentctx.records import Observation

NOTE = Observation(text="The pump leaks.", captured_at=datetime(2026, 3, 14, 9, tzinfo=UTC))
VECTOR = np.array([0.6, 0.8, 0, 0], np.float32)


def test_an_index_that_failed_to_open_is_made_anew_in_the_same_process(tmp_path: Path) -> None:
    index = ChromaIndex(tmp_path / "chroma")
    row = IndexRow(NOTE, 0, NOTE.text, VECTOR)
    index.upsert("space", [row])
    index.close()
    with closing(sqlite3.connect(tmp_path / "chroma" / "chroma.sqlite3")) as db:
        db.execute("UPDATE migrations SET hash = 'another' WHERE version = 1")
        db.commit()
    for _ in range(2):
        with pytest.raises(StoreError, match=r"Inconsistent hash.*agentctx repair"):
            index.count("space")
    index.erase()
    index.upsert("space", [row])
    assert index.search("space", VECTOR, 1)[0][0] == row.id
    index.close()
