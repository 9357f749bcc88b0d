"""What a file to score may be at most, and how it is worked through."""

from chartbuster.checking import Limits

LIMITS = Limits(rows=200_000, unpacked=100 * 2**20)
"""Beside the size of an upload: its rows and what it holds once unpacked."""

BLOCK = 4_000
"""The rows that are worked on at a time; between blocks it is everybody else's turn."""
