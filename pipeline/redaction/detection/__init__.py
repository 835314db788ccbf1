"""Finding what is personal in a text: patterns, checksums, the name and address model, gates."""
