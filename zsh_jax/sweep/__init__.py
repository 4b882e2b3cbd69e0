"""The sweep engine: a grid of cells, split into groups that share a compiled program, run in chunks."""
