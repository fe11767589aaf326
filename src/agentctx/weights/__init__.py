"""Model weights: where they are looked for, and the digests they are held to."""
