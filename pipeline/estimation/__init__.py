"""Numbers that never stand alone: an estimate, its 95 % interval, n and how it was made."""

from pipeline.estimation.confusion import (
    Confusion,
    agreement,
    kappa,
    mcc,
    rogan_gladen,
    tnr,
    tpr,
)
from pipeline.estimation.interval import Estimate, wilson
from pipeline.estimation.weighted import rate

__all__ = [
    "Confusion",
    "Estimate",
    "agreement",
    "kappa",
    "mcc",
    "rate",
    "rogan_gladen",
    "tnr",
    "tpr",
    "wilson",
]
