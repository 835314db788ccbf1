"""Benchmarks: commands that print what was measured in this run; no test asserts a time."""
