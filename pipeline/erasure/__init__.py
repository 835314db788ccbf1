"""Erasure: a person leaves every place that derives from them, and is kept out from then on."""

from pipeline.erasure.finding import Person
from pipeline.erasure.forgetting import Erasure, StillOpen, forget
from pipeline.erasure.receipts import Line, NotesBroken, Receipt

__all__ = ["Erasure", "Line", "NotesBroken", "Person", "Receipt", "StillOpen", "forget"]
