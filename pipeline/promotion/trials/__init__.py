"""Trying a case out: on what was recorded, on corrections, on corruptions, on a live agent."""
