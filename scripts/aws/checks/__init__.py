"""What can be known about a deployment from its files alone; needs the development environment."""
