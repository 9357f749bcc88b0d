"""Programs that stand in for the trainer, the app and the Lambda where a test is about neither."""
