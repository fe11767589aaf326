"""Built-in encoders: each turns observations and queries into vectors of one space."""
