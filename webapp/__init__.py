"""The Streamlit app: choose a model, set attributes, see the predicted popularity."""
