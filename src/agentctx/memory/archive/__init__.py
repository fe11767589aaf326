"""Backup: a memory, or a slice of it, as one file that any other memory can take in.

The format is described in docs/archive.md; `writing.write` makes an archive, `reading.read` checks
one and takes it in.
"""
