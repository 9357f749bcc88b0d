"""The page Predict, as Streamlit runs it."""

from webapp import edges, predict

predict.show(edges.serving())
