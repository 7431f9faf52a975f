"""What every role stands on: keys, registration, directory, locks, grants, consents, data sets."""
