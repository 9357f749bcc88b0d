"""Stands in for the Lambda create_data: what was uploaded is ready as it is."""

import hashlib
import json
import os
from typing import Any
from urllib.parse import unquote_plus

import boto3
from botocore.exceptions import ClientError


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    s3, ready = boto3.client("s3"), os.environ["READY_BUCKET"]
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        upload = hashlib.sha256(body).hexdigest()
        current = json.dumps({"upload_id": upload, "status": "ready"}).encode()
        try:
            s3.head_object(Bucket=ready, Key=f"{key}/{upload}/ready_data.csv")
        except ClientError:
            s3.put_object(Bucket=ready, Key=f"{key}/current.json", Body=current)
            s3.put_object(Bucket=ready, Key=f"{key}/{upload}/ready_data.csv", Body=body)
    return {"kept": len(event["Records"])}
