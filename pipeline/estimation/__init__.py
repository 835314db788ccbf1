"""Numbers that never stand alone: an estimate, its 95 % interval, n and how it was made."""

from pipeline.estimation.comparing import exposure_to_tell, p_fell, p_rose, p_rose_by_weekday
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
from pipeline.estimation.tally import EMPTY, Tally, tally, tally_rate, total
from pipeline.estimation.trend import Trend, false_discovery, rising
from pipeline.estimation.weighted import rate

__all__ = [
    "EMPTY",
    "Confusion",
    "Estimate",
    "Tally",
    "Trend",
    "agreement",
    "exposure_to_tell",
    "false_discovery",
    "kappa",
    "mcc",
    "p_fell",
    "p_rose",
    "p_rose_by_weekday",
    "rate",
    "rising",
    "rogan_gladen",
    "tally",
    "tally_rate",
    "tnr",
    "total",
    "tpr",
    "wilson",
]
