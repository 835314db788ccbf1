"""The review queue: what people look at next and why, and what becomes of what they say.

Pure functions over what `read_material` found; the terminal and the web page stand on the same.
"""

from pipeline.review.queue.deciding import Decided, decide, is_blind, unblind
from pipeline.review.queue.exhibit import Exhibit, Passage, Told, read_exhibit
from pipeline.review.queue.figures import AxisLabels, Figures, Person, figure
from pipeline.review.queue.items import RANDOM, Item, Queue, build_queue
from pipeline.review.queue.material import Material, read_material
from pipeline.review.queue.naming import REST, UnknownName, find_axes, find_mode, find_trace
from pipeline.review.queue.request import WORDS, CannotDecide, Request, Word
from pipeline.review.queue.serving import Served, serve
from pipeline.review.queue.waiting import WaitingCase

__all__ = [
    "RANDOM",
    "REST",
    "WORDS",
    "AxisLabels",
    "CannotDecide",
    "Decided",
    "Exhibit",
    "Figures",
    "Item",
    "Material",
    "Passage",
    "Person",
    "Queue",
    "Request",
    "Served",
    "Told",
    "UnknownName",
    "WaitingCase",
    "Word",
    "build_queue",
    "decide",
    "figure",
    "find_axes",
    "find_mode",
    "find_trace",
    "is_blind",
    "read_exhibit",
    "read_material",
    "serve",
    "unblind",
]
