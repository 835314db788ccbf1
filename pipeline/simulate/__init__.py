"""Sample traffic with known failures: OTLP files, the ground truth, simulated verdicts."""

from .simulation import Simulation, simulate

__all__ = ["Simulation", "simulate"]
