"""Unknown intents: what users come for that nobody planned, measured and named by the week."""

from pipeline.unknown_intents.find import UnknownIntents, find_unknown_intents

__all__ = ["UnknownIntents", "find_unknown_intents"]
