"""The page Batch, as Streamlit runs it."""

from webapp import edges
from webapp.batch import page

page.show(edges.edges())
