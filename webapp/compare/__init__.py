"""The page Compare: variants of a song side by side, what they differ in and what it does."""
