"""The page Pipeline: a song's way through the stack, live."""
