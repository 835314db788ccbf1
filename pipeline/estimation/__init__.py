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
from pipeline.estimation.trend import (
    Line,
    Prior,
    false_discovery,
    fit_line,
    p_rising,
    shared_scatter,
)
from pipeline.estimation.weighted import rate

__all__ = [
    "EMPTY",
    "Confusion",
    "Estimate",
    "Line",
    "Prior",
    "Tally",
    "agreement",
    "exposure_to_tell",
    "false_discovery",
    "fit_line",
    "kappa",
    "mcc",
    "p_fell",
    "p_rising",
    "p_rose",
    "p_rose_by_weekday",
    "rate",
    "rogan_gladen",
    "shared_scatter",
    "tally",
    "tally_rate",
    "tnr",
    "total",
    "tpr",
    "wilson",
]
