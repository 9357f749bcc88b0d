"""The app's pages. Streamlit runs this file for every visit."""

from pathlib import Path

import streamlit as st

PAGES = Path(__file__).parent / "pages"

st.set_page_config(page_title="ChartBuster", page_icon="🎵", layout="wide")
st.navigation(
    [
        st.Page(PAGES / "predict.py", title="Predict", default=True),
        st.Page(PAGES / "compare.py", title="Compare"),
        st.Page(PAGES / "batch.py", title="Batch"),
        st.Page(PAGES / "models.py", title="Models"),
        st.Page(PAGES / "data.py", title="Data"),
        st.Page(PAGES / "pipeline.py", title="Pipeline"),
    ],
    position="top",
).run()
