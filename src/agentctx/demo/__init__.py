"""The demo: one incident on screen, in speech and in sensor readings."""
