"""The page Predict, as Streamlit runs it."""

from webapp import edges
from webapp.predict import page

page.show(edges.edges())
