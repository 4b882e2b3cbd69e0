"""The numerical core: pure functions of arrays. Read the files in this order.

`problem` (data and unknowns), `objective`, `steps/` (one exact minimiser a file) and `solver` (the loop). Then `kernel`
and `graph`, which build a problem; `hashing` and `packing`, which use its solution; and `metrics/`, which evaluate it.
"""
