"""The app's pages. Streamlit runs this file for every visit."""

from pathlib import Path

import streamlit as st

# Not called pages: Streamlit would take such a folder for the app itself until this file has run
# once, and the first visit by a link to a page would find neither our navigation nor our settings.
ENTRIES = Path(__file__).parent / "entries"

pages = [
    st.Page(ENTRIES / f"{name.lower()}.py", title=name, default=name == "Predict")
    for name in ("Predict", "Compare", "Batch", "Models", "Data", "Pipeline")
]
page = st.navigation(pages, position="hidden")
st.set_page_config(page_title=f"{page.title} – ChartBuster", page_icon="🎵", layout="wide")
# Streamlit's own menu hides behind an arrow on a phone, and covers the page once it is open.
with st.container(key="pages", horizontal=True, gap="xxsmall"):
    for each in pages:
        st.page_link(each)
page.run()
