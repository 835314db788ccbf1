"""From what failed to checks that a test can run."""
