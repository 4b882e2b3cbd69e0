"""The inputs of a sweep, loaded as a configuration says: data set, features, class vectors."""
