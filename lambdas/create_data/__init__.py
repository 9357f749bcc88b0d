"""The Lambda `create_data`: one upload in, cleaned and ready data out."""
