"""The makers behind make_demo_samples.py, one per modality."""
