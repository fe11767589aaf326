"""Benchmarks and metrics on data that the user gives."""
