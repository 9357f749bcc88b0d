"""The page Pipeline."""

from webapp import frame
from webapp.edges import Edges


def show(edges: Edges) -> None:
    """The whole page, whatever the state of the store."""
    frame.opening("Pipeline", "In a moment.")
    frame.follow(edges.serving, edges.serving.state)
