"""How well redaction works on texts that people have labelled."""
