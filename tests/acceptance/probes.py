"""What an emulator does where emulators differ, observed and put into a few words.

Nothing here is required of one. Each probe stands for something the code once did, or could come,
to rely on; what AWS does, by its own documentation, is noted beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.acceptance.laboratory import Bucket, Laboratory, answer

_OTHER_ETAG = '"0123456789abcdef0123456789abcdef"'
_QUEUE = {"Queue": {"Type": "AWS::SQS::Queue"}}


@dataclass(frozen=True)
class Probe:
    """What is looked at, what AWS documents of it, and how it is observed."""

    what: str
    on_aws: str
    observe: Callable[[Laboratory], str]


def sequencer(lab: Laboratory) -> str:
    queue = lab.queue()
    bucket = lab.bucket(announcing=queue.url)
    numbers = []
    for body in (b"one", b"two"):
        bucket.put("key", body)
        numbers += [each["sequencer"] for each in _objects(queue.bodies())]
    first, second = numbers
    return "grows" if second > first else "is the same every time"


def key_in_event(lab: Laboratory) -> str:
    queue = lab.queue()
    lab.bucket(announcing=queue.url).put("a b+é/c.csv")
    (found,) = _objects(queue.bodies())
    return str(found["key"])


def notification_attached(lab: Laboratory) -> str:
    queue = lab.queue()
    lab.bucket(announcing=queue.url)
    events = [body.get("Event", "something else") for body in queue.bodies()]
    return ", ".join(events) or "sends nothing"


def create_over_existing(lab: Laboratory) -> str:
    bucket = lab.bucket()
    bucket.put("key")
    return answer(lambda: bucket.put("key", IfNoneMatch="*"))


def replace_missing(lab: Laboratory) -> str:
    bucket = lab.bucket()
    return answer(lambda: bucket.put("key", IfMatch=_OTHER_ETAG))


def replace_other_version(lab: Laboratory) -> str:
    bucket = lab.bucket()
    bucket.put("key")
    return answer(lambda: bucket.put("key", IfMatch=_OTHER_ETAG))


def delete_this_version(lab: Laboratory) -> str:
    bucket = lab.bucket()
    etag = bucket.put("key")
    return answer(lambda: _delete(bucket, etag))


def delete_other_version(lab: Laboratory) -> str:
    bucket = lab.bucket()
    bucket.put("key")
    return answer(lambda: _delete(bucket, _OTHER_ETAG))


def read_missing_key(lab: Laboratory) -> str:
    bucket = lab.bucket()
    return answer(lambda: bucket.s3.get_object(Bucket=bucket.name, Key="nothing"))


def read_missing_bucket(lab: Laboratory) -> str:
    s3 = lab.s3_client()
    return answer(lambda: s3.get_object(Bucket="chartbuster-no-such-bucket", Key="nothing"))


def delete_full_bucket(lab: Laboratory) -> str:
    bucket = lab.bucket()
    bucket.put("key")
    return answer(lambda: bucket.s3.delete_bucket(Bucket=bucket.name))


def queue_url(lab: Laboratory) -> str:
    url = lab.queue().url
    *leading, account, name = urlsplit(url).path.strip("/").split("/")
    assert account.isdigit(), f"no account in {url}"
    assert name.startswith("chartbuster-probe-"), f"no name in {url}"
    return "/".join(["<endpoint>", *leading, "<account>", "<name>"])


def delay(lab: Laboratory) -> str:
    queue = lab.queue()
    queue.send(DelaySeconds=2)
    early, late = queue.receive(), queue.receive(wait=5)
    return f"{'comes' if early else 'held back'} at first, {'there' if late else 'missing'} later"


def visibility(lab: Laboratory) -> str:
    queue = lab.queue()
    queue.send()
    queue.receive(hidden=2)
    early, late = queue.receive(), queue.receive(wait=5)
    return f"{'seen' if early else 'hidden'} at first, {'back' if late else 'missing'} later"


def old_receipt(lab: Laboratory) -> str:
    queue = lab.queue()
    queue.send()
    old = queue.receive(wait=2, hidden=0)
    new = queue.receive(wait=2, hidden=1)
    assert old
    assert new
    handle = old["ReceiptHandle"]
    said = answer(lambda: queue.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=handle))
    return f"{said}, and the message {'stays' if queue.receive(wait=4) else 'is gone'}"


def made_up_receipt(lab: Laboratory) -> str:
    queue = lab.queue()
    return answer(lambda: queue.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle="made up"))


def eleven_attributes(lab: Laboratory) -> str:
    queue = lab.queue()
    text = {"DataType": "String", "StringValue": "x"}
    return answer(
        lambda: queue.send(MessageAttributes={f"number-{number}": text for number in range(11)})
    )


def forbidden_character(lab: Laboratory) -> str:
    queue = lab.queue()
    return answer(lambda: queue.send("\x00"))


def no_changes(lab: Laboratory) -> str:
    cloudformation = lab.cloudformation()
    cloudformation.apply(_QUEUE)
    return cloudformation.unchanged(_QUEUE)


def unknown_type(lab: Laboratory) -> str:
    cloudformation = lab.cloudformation()
    return answer(lambda: cloudformation.apply({"It": {"Type": "AWS::Nothing::AtAll"}}))


def reference_to_a_queue(lab: Laboratory) -> str:
    outputs = lab.cloudformation().apply(_QUEUE, {"Url": {"Value": {"Ref": "Queue"}}})
    return "its URL" if "://" in outputs["Url"] else "something else"


def lifecycle(lab: Laboratory) -> str:
    s3, made = lab.s3_client(), lab.cloudformation()
    rules = [{"Id": "a", "Status": "Enabled", "ExpirationInDays": 9}]
    bucket = _applied_bucket(made, LifecycleConfiguration={"Rules": rules})
    kept = answer(lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket))
    return "kept" if kept == "ok" else "not there"


def bucket_updated(lab: Laboratory) -> str:
    s3, made = lab.s3_client(), lab.cloudformation()
    _applied_bucket(made)
    bucket = _applied_bucket(made, VersioningConfiguration={"Status": "Enabled"})
    status = s3.get_bucket_versioning(Bucket=bucket).get("Status")
    return "applied" if status == "Enabled" else "lost, and the stack says it is done"


def stack_with_full_bucket(lab: Laboratory) -> str:
    s3, made = lab.s3_client(), lab.cloudformation()
    bucket = Bucket(s3, _applied_bucket(made))
    bucket.put("key")
    status = made.remove()
    left = answer(lambda: s3.head_bucket(Bucket=bucket.name)) == "ok"
    bucket.remove()
    return f"{status or 'deleted'}, the bucket {'stays' if left else 'is gone'}"


PROBES = (
    Probe("an S3 event's sequencer, from one version of a key to the next", "grows", sequencer),
    Probe("the key `a b+é/c.csv` in an S3 event", "a+b%2B%C3%A9/c.csv", key_in_event),
    Probe("attaching a bucket's notification to a queue", "s3:TestEvent", notification_attached),
    Probe(
        "PutObject, If-None-Match: *, on a key that is there",
        "412 PreconditionFailed",
        create_over_existing,
    ),
    Probe("PutObject, If-Match, on a key that is not there", "404 NoSuchKey", replace_missing),
    Probe(
        "PutObject, If-Match, with another version's ETag",
        "412 PreconditionFailed",
        replace_other_version,
    ),
    Probe("DeleteObject, If-Match, with the right ETag", "ok", delete_this_version),
    Probe(
        "DeleteObject, If-Match, with another version's ETag",
        "412 PreconditionFailed",
        delete_other_version,
    ),
    Probe("GetObject of a key that is not there", "404 NoSuchKey", read_missing_key),
    Probe("GetObject from a bucket that is not there", "404 NoSuchBucket", read_missing_bucket),
    Probe("DeleteBucket with an object in it", "409 BucketNotEmpty", delete_full_bucket),
    Probe("a queue's URL", "<endpoint>/<account>/<name>", queue_url),
    Probe("a message sent with a delay", "held back at first, there later", delay),
    Probe("a message in somebody's hands", "hidden at first, back later", visibility),
    Probe("DeleteMessage with an outdated receipt", "ok, and the message stays", old_receipt),
    Probe("DeleteMessage with a made-up receipt", "400 ReceiptHandleIsInvalid", made_up_receipt),
    Probe("SendMessage with eleven attributes", "400 InvalidParameterValue", eleven_attributes),
    Probe("SendMessage with a NUL", "400 InvalidMessageContents", forbidden_character),
    Probe(
        "a change set without changes",
        "FAILED: The submitted information didn't contain changes. Submit different information "
        "to create a change set.",
        no_changes,
    ),
    Probe("a template with a type that does not exist", "refused", unknown_type),
    Probe("Ref of a queue among a stack's outputs", "its URL", reference_to_a_queue),
    Probe("a bucket's lifecycle rules, from CloudFormation", "kept", lifecycle),
    Probe("versioning switched on by a stack's update", "applied", bucket_updated),
    Probe(
        "deleting a stack whose bucket holds an object",
        "DELETE_FAILED, the bucket stays",
        stack_with_full_bucket,
    ),
)


def _objects(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The objects that S3 events are about."""
    return [record["s3"]["object"] for body in bodies for record in body.get("Records", [])]


def _delete(bucket: Bucket, etag: str) -> None:
    bucket.s3.delete_object(Bucket=bucket.name, Key="key", IfMatch=etag)


def _applied_bucket(cloudformation: Any, **properties: Any) -> str:
    """The name of the one bucket the stack has."""
    bucket = {"Type": "AWS::S3::Bucket", "Properties": properties}
    outputs = cloudformation.apply({"Bucket": bucket}, {"Name": {"Value": {"Ref": "Bucket"}}})
    return str(outputs["Name"])
