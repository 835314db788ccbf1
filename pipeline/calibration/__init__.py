"""How far each judge can be trusted: its verdicts beside people's, once a week."""

from pipeline.calibration.calibrate import Calibration, calibrate

__all__ = ["Calibration", "calibrate"]
