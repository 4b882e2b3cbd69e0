"""The numerical core: pure functions of arrays."""
