"""What composes the stack locally: the embedded composition and the state keeper."""
