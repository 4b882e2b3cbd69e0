"""What the command line runs: configurations read from it, and the sweep from plan to report."""
