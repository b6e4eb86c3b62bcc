"""Versioning, object lock and settings of a bucket by boto3, in buckets of its own that it leaves empty and removed.

The story is JSON on stdin, as for boto3_steps.py: endpoint, region, admin, bucket, caFile. Prints one line for each
check: `done`, or `failed` with what went wrong. What an upstream lacks is told apart in settings.ts.
"""

import datetime
import hashlib
import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

story = json.load(sys.stdin)
bucket = story["bucket"]
s3 = boto3.client(
    "s3",
    endpoint_url=story["endpoint"],
    region_name=story["region"],
    aws_access_key_id=story["admin"]["accessKeyId"],
    aws_secret_access_key=story["admin"]["secretAccessKey"],
    verify=story.get("caFile"),
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
)

# AWS, versitygw and MinIO have three words for a version that is protected.
LOCKED = {"AccessDenied", "ObjectLocked", "InvalidRequest"}


def code_of(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def check(name, call):
    try:
        call()
    except Exception as error:
        print(f"failed: {name}: {' '.join(repr(error).split())}")
    else:
        print(f"done: {name}")


def make_bucket():
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def versions():
    one = s3.put_object(Bucket=bucket, Key="v", Body=b"one")["VersionId"]
    two = s3.put_object(Bucket=bucket, Key="v", Body=b"two")["VersionId"]
    assert one != two
    assert s3.get_object(Bucket=bucket, Key="v", VersionId=one)["Body"].read() == b"one"
    assert s3.head_object(Bucket=bucket, Key="v")["VersionId"] == two
    marker = s3.delete_object(Bucket=bucket, Key="v")
    assert marker["DeleteMarker"] is True, marker
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="v")) == "NoSuchKey"
    page = s3.list_object_versions(Bucket=bucket, Prefix="v")
    assert {version["VersionId"] for version in page["Versions"]} == {one, two}
    assert page["DeleteMarkers"][0]["VersionId"] == marker["VersionId"]
    owners = {entry["Owner"]["ID"] for entry in page["Versions"] if "Owner" in entry}
    assert all(len(owner) == 64 for owner in owners), owners
    s3.copy_object(Bucket=bucket, Key="w", CopySource={"Bucket": bucket, "Key": "v", "VersionId": one})
    assert s3.get_object(Bucket=bucket, Key="w")["Body"].read() == b"one"
    s3.delete_object(Bucket=bucket, Key="v", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="v")["Body"].read() == b"two"


def paged_versions():
    for number in range(5):
        s3.put_object(Bucket=bucket, Key=f"page/{number} ü+", Body=b"x")
    found = []
    for page in s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Prefix="page/", PaginationConfig={"PageSize": 2}
    ):
        found += [version["Key"] for version in page.get("Versions", [])]
    # versitygw begins a page with the version that its marker names; S3 begins behind it.
    assert list(dict.fromkeys(found)) == [f"page/{number} ü+" for number in range(5)], found


def suspended():
    # Where objects are locked, versioning stays.
    plain = f"{bucket}-plain"
    s3.create_bucket(Bucket=plain)
    try:
        assert "Status" not in s3.get_bucket_versioning(Bucket=plain)
        for status in ["Enabled", "Suspended"]:
            s3.put_bucket_versioning(Bucket=plain, VersioningConfiguration={"Status": status})
            assert s3.get_bucket_versioning(Bucket=plain)["Status"] == status
    finally:
        s3.delete_bucket(Bucket=plain)


def default_lock():
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    read = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    assert read["Rule"] == rule, read
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})


def retention():
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    version = s3.put_object(
        Bucket=bucket, Key="locked", Body=b"x", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until
    )["VersionId"]
    head = s3.head_object(Bucket=bucket, Key="locked")
    assert head["ObjectLockMode"] == "GOVERNANCE", head
    assert s3.get_object_retention(Bucket=bucket, Key="locked")["Retention"]["Mode"] == "GOVERNANCE"
    refused = code_of(lambda: s3.delete_object(Bucket=bucket, Key="locked", VersionId=version))
    assert refused in LOCKED, refused
    later = {"Mode": "GOVERNANCE", "RetainUntilDate": until + datetime.timedelta(days=1)}
    s3.put_object_retention(Bucket=bucket, Key="locked", VersionId=version, Retention=later)
    s3.delete_object(Bucket=bucket, Key="locked", VersionId=version, BypassGovernanceRetention=True)


def legal_hold():
    version = s3.put_object(Bucket=bucket, Key="held", Body=b"x")["VersionId"]
    s3.put_object_legal_hold(Bucket=bucket, Key="held", LegalHold={"Status": "ON"})
    assert s3.get_object_legal_hold(Bucket=bucket, Key="held")["LegalHold"]["Status"] == "ON"
    refused = code_of(lambda: s3.delete_object(Bucket=bucket, Key="held", VersionId=version))
    assert refused in LOCKED, refused
    s3.put_object_legal_hold(Bucket=bucket, Key="held", LegalHold={"Status": "OFF"})
    s3.delete_object(Bucket=bucket, Key="held", VersionId=version)


def lifecycle():
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    read = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [(one["ID"], one["Expiration"]) for one in read] == [("old", {"Days": 30})], read
    s3.delete_bucket_lifecycle(Bucket=bucket)
    assert code_of(lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket)) == "NoSuchLifecycleConfiguration"


def encryption():
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    read = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert read[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256", read
    s3.delete_bucket_encryption(Bucket=bucket)


def customer_key():
    key = os.urandom(32)
    sse = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}
    s3.put_object(Bucket=bucket, Key="sse-c", Body=b"secret", **sse)
    assert s3.get_object(Bucket=bucket, Key="sse-c", **sse)["Body"].read() == b"secret"
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="sse-c")) is not None


def attributes():
    s3.put_object(Bucket=bucket, Key="attributes", Body=b"12345")
    read = s3.get_object_attributes(Bucket=bucket, Key="attributes", ObjectAttributes=["ETag", "ObjectSize"])
    assert read["ObjectSize"] == 5, read
    assert read["ETag"] == hashlib.md5(b"12345").hexdigest(), read


def ownership():
    rules = [{"ObjectOwnership": "BucketOwnerEnforced"}]
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": rules})
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"] == rules


def select():
    s3.put_object(Bucket=bucket, Key="select.csv", Body=b"a,b\n1,2\n3,4\n")
    events = s3.select_object_content(
        Bucket=bucket,
        Key="select.csv",
        Expression="SELECT s.a FROM S3Object s WHERE s.b = '4'",
        ExpressionType="SQL",
        InputSerialization={"CSV": {"FileHeaderInfo": "USE"}},
        OutputSerialization={"CSV": {}},
    )["Payload"]
    records = b"".join(event["Records"]["Payload"] for event in events if "Records" in event)
    assert records == b"3\n", records


def switched_off():
    payer = {"Payer": "Requester"}
    call = code_of(lambda: s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration=payer))
    assert call == "NotImplemented", call


def empty():
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for entry in page.get("Versions", []) + page.get("DeleteMarkers", []):
            s3.delete_object(
                Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"], BypassGovernanceRetention=True
            )
    s3.delete_bucket(Bucket=bucket)


check("make a bucket with object lock", make_bucket)
check("versions", versions)
check("pages of versions", paged_versions)
check("suspended versioning", suspended)
check("default object lock", default_lock)
check("retention", retention)
check("legal hold", legal_hold)
check("lifecycle", lifecycle)
check("encryption of a bucket", encryption)
check("a client's own key", customer_key)
check("attributes", attributes)
check("ownership controls", ownership)
check("select", select)
check("what is switched off", switched_off)
check("empty and remove the bucket", empty)
