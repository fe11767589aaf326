"""Which process may open Chroma's files: the one that holds this lock."""

from pathlib import Path

from filelock import FileLock, Timeout

from agentctx.errors import StoreError


class Lease:
    """An OS lock on the memory's directory; the kernel releases it when the process dies."""

    def __init__(self, path: Path) -> None:
        # Not per thread: the process holds the lease, whichever thread asks.
        self._lock = FileLock(path, thread_local=False, mode=0o600)

    def acquire(self, timeout: float = 0.0) -> bool:
        """Take the lease if it gets free in so many seconds; True when this process holds it.

        Raises StoreError when this user may not.
        """
        if not self._lock.is_locked:
            try:
                self._lock.acquire(timeout=timeout, poll_interval=0.02)
            except Timeout:
                return False
            except OSError as error:
                raise StoreError(f"{self._lock.lock_file} cannot be locked: {error}") from error
        return True

    def is_held(self) -> bool:
        """Whether a process has the lease now; it is asked for, and given back at once."""
        if not self.acquire():
            return True
        self.release()
        return False

    def release(self) -> None:
        """Give the lease back."""
        self._lock.release(force=True)
