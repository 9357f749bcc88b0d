"""A synthetic catalogue to try ChartBuster with when no real data is at hand.

The songs, artists and titles are invented. Only statistics are taken from published figures, so
that genres, attributes and popularity relate to each other as in a real collection.
"""

from chartbuster.demo.catalogue import COLUMNS, SEED, SONGS, as_csv, generate

__all__ = ["COLUMNS", "SEED", "SONGS", "as_csv", "generate"]
