"""Deploying to AWS: what the programs behind the `-aws` targets are made of."""
