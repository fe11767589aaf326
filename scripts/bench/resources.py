"""Disk, memory and a fresh process's first answer, for scripts/bench/scale.py."""

import json
import sqlite3
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

MEMORY = """
import sys, time
started = time.perf_counter()
from agentctx import Memory
memory = Memory.open(sys.argv[1])
memory.search(sys.argv[2])
answered = time.perf_counter() - started
for question in sys.argv[3:]:
    memory.search(question)
    memory.search(question, modality="speech")
"""
CHROMA = """
import sys, time
started = time.perf_counter()
import chromadb
client = chromadb.PersistentClient(path=sys.argv[1])
collection = client.get_collection(sys.argv[2], embedding_function=None)
vector = [[0.05] * int(sys.argv[3])]
collection.query(query_embeddings=vector, n_results=10)
answered = time.perf_counter() - started
for _ in range(5):
    collection.query(query_embeddings=vector, n_results=10, where={"modality": "speech"})
"""
REPORT = """
import json
with open("/proc/self/status") as status:
    rows = dict(line.split(":", 1) for line in status)
kilobytes = lambda name: int(rows[name].split()[0])
print(json.dumps({"answered_s": answered, "rss_kb": kilobytes("VmRSS"),
                  "own_kb": kilobytes("RssAnon"), "peak_kb": kilobytes("VmHWM")}))
"""


def disk(directory: Path, entries: int) -> dict[str, Any]:
    """Bytes per entry: of the catalog by table (its indexes apart), and of Chroma's files."""
    catalog = directory / "catalog.sqlite3"
    with closing(sqlite3.connect(catalog)) as db:
        db.execute("PRAGMA wal_checkpoint (TRUNCATE)")
        tables = db.execute(
            "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC, 1"
        ).fetchall()
    chroma = sum(p.stat().st_size for p in (directory / "chroma").rglob("*") if p.is_file())
    return {
        "catalog": round(catalog.stat().st_size / entries, 1),
        "chroma": round(chroma / entries, 1),
        "tables": {name: round(size / entries, 1) for name, size in tables if size >= entries},
    }


def fresh(
    directory: Path, space: str, dimension: int, questions: list[str], rounds: int
) -> dict[str, dict[str, float]]:
    """Of fresh processes that take turns, medians: seconds to the first answer, and memory.

    ``answered_s`` is from after Python's start to the answer; ``process_s`` all of the process,
    which goes on to warm up. The command line's own search answers once and ends.
    """
    commands = {
        "agentctx": [MEMORY + REPORT, str(directory), *questions],
        "bare Chroma, vector given": [
            CHROMA + REPORT, str(directory / "chroma"), space, str(dimension)
        ],
        "agentctx search": [
            "from agentctx.cli import main; main()",
            "search", questions[0], "--memory", str(directory),
        ],
        "python -c pass": ["pass"],
    }  # fmt: skip
    found: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            started = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", *command], check=True, capture_output=True, text=True
            )
            seconds = time.perf_counter() - started
            told = json.loads(done.stdout) if REPORT in command[0] else {}
            found[name].append({**told, "process_s": seconds})
    return {
        name: {key: round(statistics.median(run[key] for run in runs), 3) for key in runs[0]}
        for name, runs in found.items()
    }
