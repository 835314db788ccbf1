"""How far each judge can be trusted: beside people, under attack, and asked twice."""

from pipeline.calibration.calibrate import WEEKS, Calibration, calibrate
from pipeline.calibration.canaries import (
    Attack,
    AttackSuccess,
    attack_success,
    missing_canaries,
    run_canaries,
)

__all__ = [
    "WEEKS",
    "Attack",
    "AttackSuccess",
    "Calibration",
    "attack_success",
    "calibrate",
    "missing_canaries",
    "run_canaries",
]
