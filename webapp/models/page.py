"""The page Models."""

from webapp import frame
from webapp.edges import Edges


def show(edges: Edges) -> None:
    """The whole page, whatever the state of the store."""
    frame.opening("Models", "In a moment.")
    frame.follow(edges.serving, edges.serving.state)
