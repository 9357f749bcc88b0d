"""The page Compare, as Streamlit runs it."""

from webapp import edges
from webapp.compare import page

page.show(edges.edges())
