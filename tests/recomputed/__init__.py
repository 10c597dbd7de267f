"""The figures of a run's summary, computed anew from its rows; see tests/recompute.py."""
