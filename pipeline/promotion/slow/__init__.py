"""Slow failures as candidates: what creeps up, and who shows it though every check passed."""
