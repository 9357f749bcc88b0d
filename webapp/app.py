"""The app's pages. Streamlit runs this file for every visit."""

from pathlib import Path

import streamlit as st

PAGES = Path(__file__).parent / "pages"

st.set_page_config(page_title="ChartBuster", page_icon="🎵", layout="wide")
st.navigation(
    [st.Page(PAGES / "predict.py", title="Predict", default=True)], position="hidden"
).run()
