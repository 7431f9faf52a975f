"""The main job, end to end: every role with its own keys, on a chain that the demo starts."""
