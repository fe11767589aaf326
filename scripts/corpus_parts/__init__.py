"""The parts of scripts/corpus.py: good files, what is done to them, and who watches."""
