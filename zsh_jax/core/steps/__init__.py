"""The alternating steps, one a file: each minimises the objective exactly in one unknown.

Every step is `step(problem, hyper, state) -> state`: pure, jitted, and vmappable over `hyper` and `state`.
"""
