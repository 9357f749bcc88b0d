"""The page Models, as Streamlit runs it."""

from webapp import edges
from webapp.models import page

page.show(edges.edges())
