"""One trace out of its spans and events, conversations out of traces, and rows out of those."""
