"""Proof that what was forgotten is gone: fingerprints of it, looked for in every byte.

At forget time, in the transaction, before the rows are deleted::

    fingerprints = of_observations(db, pks, media.path, kept=[rule])
    receipt = Receipt(..., fingerprints=fingerprints.to_text())

At any later time::

    fingerprints = Fingerprints.from_text(receipt.fingerprints)
    report = scan_apart(directory, fingerprints, words=words_left(db, fingerprints))
    report.ok, report.findings

Neither the fingerprints nor the directory tell what was forgotten. But whoever holds a receipt
can confirm a guess: the fingerprints of the same words are the same. So a receipt is to be kept
like the data itself, or thrown away after the check.
"""

from agentctx.memory.erasure.catalog import of_observations, stored_media
from agentctx.memory.erasure.fingerprints import Fingerprints, Kind, collect
from agentctx.memory.erasure.process import scan_apart
from agentctx.memory.erasure.scan import ErasureReport, Finding, scan
from agentctx.memory.erasure.words import own_words, page_words, words_left

__all__ = [
    "ErasureReport",
    "Finding",
    "Fingerprints",
    "Kind",
    "collect",
    "of_observations",
    "own_words",
    "page_words",
    "scan",
    "scan_apart",
    "stored_media",
    "words_left",
]
