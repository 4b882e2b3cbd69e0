"""The numerical core: pure functions of arrays, to be read in this order.

`problem` (what is given, what is sought), `objective` (what is minimised), `steps/` (one exact minimiser a file),
`solver` (the loop), then what surrounds it: `kernel` and `graph` build a problem, `hashing` and `packing` use
its solution, `metrics/` judge it.
"""
