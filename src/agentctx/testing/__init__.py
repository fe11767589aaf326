"""What plugin authors test with: contract suites to subclass, and deterministic doubles.

`agentctx.testing.contracts` needs pytest, `agentctx.testing.doubles` needs nothing.
"""
