"""The page Data: what the models learnt from."""
