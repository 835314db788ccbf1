"""Which traces of a day are looked at: intent, stakes, signals of anomaly, and two known draws."""

from pipeline.sampling.effort import UsualEffort, usual_effort
from pipeline.sampling.intents import evidence_of, held_out_evidence, intent_targets, opening
from pipeline.sampling.opting_out import listed_traces, opt_out_digest
from pipeline.sampling.sample import Sample, draw_sample

__all__ = [
    "Sample",
    "UsualEffort",
    "draw_sample",
    "evidence_of",
    "held_out_evidence",
    "intent_targets",
    "listed_traces",
    "opening",
    "opt_out_digest",
    "usual_effort",
]
