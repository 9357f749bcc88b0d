"""ChartBuster's domain: what a song is, and everything the Lambda, the trainer and the app share.

The entrances (`lambdas/`, `trainer/`, `webapp/`) import this package and never one another. Only
`chartbuster.learn` imports scikit-learn, only `chartbuster.aws` imports boto3.
"""

__version__ = "0.1.0"
