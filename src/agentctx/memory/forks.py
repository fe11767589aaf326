"""Locks that a forked process finds open."""

import os
import threading
import weakref

_all: "weakref.WeakSet[Lockable]" = weakref.WeakSet()


class Lockable:
    """Has a lock of its own, made anew in a forked process.

    A thread of the parent may have held it, and that thread is not in the child to let go.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _all.add(self)

    def after_fork(self) -> None:
        """Make the lock anew."""
        self._lock = threading.Lock()


def _after_fork() -> None:
    for one in list(_all):
        one.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
