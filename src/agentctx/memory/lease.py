"""Which process may open Chroma's files: the one that holds this lock."""

from pathlib import Path

from filelock import FileLock, Timeout


class Lease:
    """An OS lock on the memory's directory; the kernel releases it when the process dies."""

    def __init__(self, path: Path) -> None:
        # Not per thread: the process holds the lease, whichever thread asks.
        self._lock = FileLock(path, thread_local=False, mode=0o600)

    def acquire(self) -> bool:
        """Take the lease if it is free; True when this process holds it (now or already)."""
        if not self._lock.is_locked:
            try:
                self._lock.acquire(blocking=False)
            except Timeout:
                return False
        return True

    def release(self) -> None:
        """Give the lease back."""
        self._lock.release(force=True)
