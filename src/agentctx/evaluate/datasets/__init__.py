"""Datasets of others as ours: one module per format, all of which give the same records."""
