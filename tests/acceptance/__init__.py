"""One suite for every way the stack can run. It knows a stack's outputs, and nothing else of it."""
