"""What must be there before anything is deployed: repositories and the code bucket."""

import json
from collections.abc import Iterator

from scripts.aws.checks.reading import SERVICES, Templates, at, differs, properties, sub


def repositories_keep_what_was_pushed_and_are_scanned(templates: Templates) -> Iterator[str]:
    for name in SERVICES.values():
        found = properties(templates.bootstrap, f"{name}Repository")
        rules = json.loads(at(found, "LifecyclePolicy", "LifecyclePolicyText"))["rules"]
        yield from differs(
            f"{name}Repository: what it forgets",
            [{**rule["selection"], **rule["action"]} for rule in rules],
            [
                {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 7,
                    "type": "expire",
                },
                {
                    "tagStatus": "any",
                    "countType": "imageCountMoreThan",
                    "countNumber": 30,
                    "type": "expire",
                },
            ],
        )
        for key, wanted in {
            "ImageTagMutability": "IMMUTABLE",
            "ImageScanningConfiguration": {"ScanOnPush": True},
        }.items():
            yield from differs(f"{name}Repository.{key}", found[key], wanted)
        output = at(templates.bootstrap, "Outputs", f"{name}RepositoryUri", "Value")
        yield from differs(
            f"the output {name}RepositoryUri",
            output,
            {"GetAtt": f"{name}Repository.RepositoryUri"},
        )


def the_code_bucket_is_private_encrypted_and_reached_over_tls_only(
    templates: Templates,
) -> Iterator[str]:
    bucket = properties(templates.bootstrap, "CodeBucket")
    raw = properties(templates.data, "RawBucket")
    for key in ("PublicAccessBlockConfiguration", "OwnershipControls", "BucketEncryption"):
        yield from differs(f"CodeBucket.{key}", bucket[key], raw[key])
    yield from differs(
        "CodeBucket.BucketName",
        bucket["BucketName"],
        sub("chartbuster-${Stage}-${AWS::AccountId}-code"),
    )
    policy = properties(templates.bootstrap, "CodeBucketPolicy")
    wanted = json.loads(
        json.dumps(properties(templates.data, "RawBucketPolicy")).replace("RawBucket", "CodeBucket")
    )
    yield from differs("CodeBucketPolicy", policy, wanted)
    output = at(templates.bootstrap, "Outputs", "CodeBucket", "Value")
    yield from differs("the output CodeBucket", output, {"Ref": "CodeBucket"})
