"""The app for programs: predictions and models as JSON, and a description of both."""
