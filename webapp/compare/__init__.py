"""The page Compare: variants of a song side by side."""
