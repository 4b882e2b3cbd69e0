"""How long each stage takes, beside what the machine can do and beside plain NumPy: `python -m benchmarks`.

No test asserts on these times. docs/performance.md says what each row measures.
"""
