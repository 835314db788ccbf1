"""Text inside text: opened to be read, and written back in its own notation."""
