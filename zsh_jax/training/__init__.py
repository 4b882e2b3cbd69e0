"""Training, within a sweep or alone: prepare a data split and fit a method to it."""
