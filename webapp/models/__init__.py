"""The page Models: how good they are, who is champion and who was."""
