"""What stands in the place of a value: surrogates, their keys, and how keys are changed."""
