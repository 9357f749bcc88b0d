"""The page Pipeline, as Streamlit runs it."""

from webapp import edges
from webapp.pipeline import page

page.show(edges.edges())
