"""The page Batch: a whole file of songs, scored."""
