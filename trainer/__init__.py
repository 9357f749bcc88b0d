"""The trainer: takes messages from the queue and turns datasets into runs."""
