"""Models with random weights, saved as their libraries save them: to compare and to time."""
