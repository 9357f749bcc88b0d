"""Runs the Python Lambda functions of LocalStack as child processes, without Docker."""
