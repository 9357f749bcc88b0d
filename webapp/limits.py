"""What the app takes at most."""

UPLOAD_MEGABYTES = 20
"""The size of an uploaded file, as it is stored; in Streamlit a megabyte is 1,048,576 bytes."""
