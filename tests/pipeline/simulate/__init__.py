"""Tests of the simulator of sample traffic."""
