"""The page Predict: set a song's attributes and see how popular it would be, as you drag."""
