"""Figures of a report: each a pure function of rows to a matplotlib figure."""
