"""How long the tests of the memory look: ``--hypothesis-profile=long`` is for those with time."""

from hypothesis import settings

settings.register_profile("long", max_examples=1000)
