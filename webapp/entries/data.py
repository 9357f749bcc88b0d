"""The page Data, as Streamlit runs it."""

from webapp import edges
from webapp.data import page

page.show(edges.edges())
