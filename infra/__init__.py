"""The CloudFormation templates, and the plan and apply of their stacks."""
