"""The app's pages. Streamlit runs this file for every visit."""

from pathlib import Path

import streamlit as st

PAGES = Path(__file__).parent / "pages"

st.set_page_config(page_title="ChartBuster", page_icon="🎵", layout="wide")
pages = [
    st.Page(PAGES / f"{name.lower()}.py", title=name, default=name == "Predict")
    for name in ("Predict", "Compare", "Batch", "Models", "Data", "Pipeline")
]
page = st.navigation(pages, position="hidden")
# Streamlit's own menu hides behind an arrow on a phone, and covers the page once it is open.
with st.container(key="pages", horizontal=True, gap="xxsmall"):
    for each in pages:
        st.page_link(each)
page.run()
