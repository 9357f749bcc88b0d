"""What the app takes at most."""

from chartbuster.pipeline import LARGEST_UPLOAD

UPLOAD_MEGABYTES = LARGEST_UPLOAD // 2**20
"""The size of an uploaded file, as it is stored; in Streamlit a megabyte is 1,048,576 bytes."""
