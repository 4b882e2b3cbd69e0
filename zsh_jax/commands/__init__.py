"""The commands: read a configuration from the command line, and run a sweep from plan to report."""
