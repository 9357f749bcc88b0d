"""An account in memory, as far as a teardown needs one: it refuses what AWS refuses.

LocalStack forgets a stack whose bucket it could not delete, and MiniStack deletes full buckets; AWS
does neither, and what happens then is shown here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from scripts.aws.account import Account


@dataclass
class FakeCloud:
    """One stack of one bucket; `late` is called at every deletion and may fill the bucket again.

    A `status` that is busy settles after it was looked at `busy_looks` times.
    """

    stack: str
    bucket: str
    versions: list[str]
    late: Callable[["FakeCloud"], None] = lambda cloud: None
    status: str = "CREATE_COMPLETE"
    busy_looks: int = 0
    protected: bool = False
    deletions: int = 0
    there: bool = True
    _reason: str = field(default="", init=False)

    def account(self) -> Account:
        """The account as the programs see it."""
        nothing = SimpleNamespace(paginate=lambda **_: [])
        session = SimpleNamespace(
            client=lambda name: {
                "cloudformation": self,
                "s3": self,
                "ecr": SimpleNamespace(get_paginator=lambda _: nothing),
                "logs": SimpleNamespace(get_paginator=lambda _: nothing),
            }[name]
        )
        stage = self.stack.split("-")[1]
        return Account("123456789012", "us-east-1", stage, "", session)  # type: ignore[arg-type]

    # --- CloudFormation ---------------------------------------------------------------------------
    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        if self.status.endswith("_IN_PROGRESS"):
            self._look()
        if StackName != self.stack or not self.there:
            raise _error("ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackStatus": self.status}]}

    def describe_stack_resources(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        return {
            "StackResources": [
                {
                    "LogicalResourceId": "Bucket",
                    "PhysicalResourceId": self.bucket,
                    "ResourceType": "AWS::S3::Bucket",
                    "ResourceStatus": self.status,
                    "ResourceStatusReason": self._reason,
                }
            ]
        }

    def delete_stack(self, *, StackName: str) -> None:  # noqa: N803
        if self.protected:
            raise _error("ValidationError", f"Stack [{StackName}] cannot be deleted")
        if self.status.endswith("_IN_PROGRESS"):
            raise _error("ValidationError", f"Stack is in {self.status} state")
        self.deletions += 1
        self.late(self)
        self.status, self.busy_looks = "DELETE_IN_PROGRESS", 1

    def _look(self) -> None:
        if self.busy_looks:
            self.busy_looks -= 1
        elif not self.status.startswith("DELETE"):
            self.status = "UPDATE_COMPLETE"
        elif self.versions:
            self.status, self._reason = (
                "DELETE_FAILED",
                "The bucket you tried to delete is not empty",
            )
        else:
            self.there = False

    # --- S3 ---------------------------------------------------------------------------------------
    def get_paginator(self, name: str) -> Any:
        assert name == "list_multipart_uploads"
        return SimpleNamespace(paginate=lambda **_: [])

    def list_object_versions(self, *, Bucket: str) -> dict[str, Any]:  # noqa: N803
        return {"Versions": [{"Key": key, "VersionId": "1"} for key in self.versions]}

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        for each in Delete["Objects"]:
            if each["Key"].startswith("locked"):
                return {"Errors": [{"Key": each["Key"], "Code": "AccessDenied", "Message": "no"}]}
            self.versions.remove(each["Key"])
        return {}

    def list_buckets(self) -> dict[str, Any]:
        return {"Buckets": []}


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DeleteStack")
