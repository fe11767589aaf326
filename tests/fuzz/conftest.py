"""The long job for the parsers that are ours: ``--hypothesis-profile fuzz``."""

from hypothesis import settings

settings.register_profile("fuzz", max_examples=20_000)
