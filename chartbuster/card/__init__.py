"""A run's model card: one page of HTML that says how good its best model is, and where it is not.

The page stands by itself: no script, nothing loaded from anywhere, plots drawn as SVG. Equal runs
and reports give equal bytes. What the data did not allow to measure is left out, or the page says
why it is missing.
"""

from chartbuster.card.page import model_card, sections
from chartbuster.card.pieces import Section

__all__ = ["Section", "model_card", "sections"]
