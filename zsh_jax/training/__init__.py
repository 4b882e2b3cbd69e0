"""Training outside and inside a sweep: a data split made ready, and a method fitted to it."""
