"""The parts of `scripts/record_screen.py` and `scripts/bench/stream.py`."""
