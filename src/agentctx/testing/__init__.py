"""Contract suites and deterministic doubles for plugin authors."""
