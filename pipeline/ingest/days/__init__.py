"""A day of `raw_traces`: which conversations begin on it, and their rows, share by share."""
