"""Policies by boto3, in a bucket of its own that it leaves empty and removed.

The story is JSON on stdin, as for boto3_steps.py: endpoint, region, admin, bucket, caFile; and `guest`, the key of a user
of the same account (`arn`) whom nothing but the bucket's policy grants anything. Prints one line for each check: `done`,
or `failed` with what went wrong. What an upstream lacks is told apart in policies.ts.
"""

import hashlib
import json
import ssl
import sys
import urllib.error
import urllib.request

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

story = json.load(sys.stdin)
bucket = story["bucket"]
BUCKET = f"arn:aws:s3:::{bucket}"


def client(credentials=None, options=None, **s3):
    keys = credentials and {
        "aws_access_key_id": credentials["accessKeyId"],
        "aws_secret_access_key": credentials["secretAccessKey"],
    }
    config = Config(
        signature_version="s3v4" if credentials else UNSIGNED,
        s3={"addressing_style": "path", **s3},
        retries={"max_attempts": 1},
        **(options or {}),
    )
    return boto3.client(
        "s3",
        endpoint_url=story["endpoint"],
        region_name=story["region"],
        verify=story.get("caFile"),
        config=config,
        **(keys or {}),
    )


s3 = client(story["admin"])
guest = client(story["guest"])
anyone = client()


def error_of(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]
    return {"Code": None}


def code_of(call):
    return error_of(call)["Code"]


def denied(call):
    code = code_of(call)
    assert code in ("AccessDenied", "403"), code


def check(name, call):
    try:
        call()
    except Exception as error:
        print(f"failed: {name}: {' '.join(repr(error).split())}")
    else:
        print(f"done: {name}")


def statement(action, resource, principal=None, effect="Allow", **condition):
    return {
        "Effect": effect,
        "Principal": principal or {"AWS": story["guest"]["arn"]},
        "Action": action,
        "Resource": resource,
        **({"Condition": condition} if condition else {}),
    }


def put_policy(*statements):
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy


def keys(prefix=""):
    page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for entry in page.get("Contents", [])]


def make_bucket():
    s3.create_bucket(Bucket=bucket)
    assert code_of(lambda: s3.get_bucket_policy(Bucket=bucket)) == "NoSuchBucketPolicy"
    denied(lambda: guest.list_objects_v2(Bucket=bucket))


def delete_several():
    put_policy(
        statement("s3:DeleteObject", f"{BUCKET}/tmp/*"),
        statement("s3:DeleteObject", f"{BUCKET}/tmp/keep*", effect="Deny"),
    )
    wanted = ["tmp/1", "tmp/keep-2", "tmp/3 ü+&", "other/4", "tmp/not-there"]
    for quiet in [False, True]:
        for key in wanted[:-1]:
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        answer = guest.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key} for key in wanted], "Quiet": quiet}
        )
        errors = {error["Key"]: error["Code"] for error in answer.get("Errors", [])}
        assert errors == {"tmp/keep-2": "AccessDenied", "other/4": "AccessDenied"}, errors
        deleted = {entry["Key"] for entry in answer.get("Deleted", [])}
        assert deleted == (set() if quiet else {"tmp/1", "tmp/3 ü+&", "tmp/not-there"}), deleted
        assert keys("tmp/") == ["tmp/keep-2"] and keys("other/") == ["other/4"]
    for key in ["tmp/keep-2", "other/4"]:
        s3.delete_object(Bucket=bucket, Key=key)


def copy():
    for key in ["in/a", "secret/a"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"content")
    put_policy(
        statement("s3:GetObject", f"{BUCKET}/in/*"),
        statement(["s3:PutObject", "s3:AbortMultipartUpload"], f"{BUCKET}/out/*"),
    )
    source = {"Bucket": bucket, "Key": "secret/a"}
    guest.copy_object(Bucket=bucket, Key="out/a", CopySource={"Bucket": bucket, "Key": "in/a"})
    denied(lambda: guest.copy_object(Bucket=bucket, Key="out/b", CopySource=source))
    denied(lambda: guest.copy_object(Bucket=bucket, Key="in/b", CopySource={"Bucket": bucket, "Key": "in/a"}))
    upload = guest.create_multipart_upload(Bucket=bucket, Key="out/c")["UploadId"]
    part = {"Bucket": bucket, "Key": "out/c", "UploadId": upload, "PartNumber": 1}
    denied(lambda: guest.upload_part_copy(**part, CopySource=source))
    guest.upload_part_copy(**part, CopySource={"Bucket": bucket, "Key": "in/a"})
    guest.abort_multipart_upload(Bucket=bucket, Key="out/c", UploadId=upload)
    assert keys("out/") == ["out/a"] and keys("in/") == ["in/a"]


def version_refused():
    s3.put_object(Bucket=bucket, Key="v", Body=b"of the moment")
    put_policy(statement("s3:GetObject", f"{BUCKET}/*"))
    assert guest.get_object(Bucket=bucket, Key="v")["Body"].read() == b"of the moment"
    denied(lambda: guest.get_object(Bucket=bucket, Key="v", VersionId="null"))
    denied(lambda: guest.head_object(Bucket=bucket, Key="v", VersionId="null"))
    put_policy(statement("s3:GetObjectVersion", f"{BUCKET}/*"))
    denied(lambda: guest.get_object(Bucket=bucket, Key="v"))


def version_read():
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket=bucket, Key="v", Body=b"old")["VersionId"]
    new = s3.put_object(Bucket=bucket, Key="v", Body=b"new")["VersionId"]
    put_policy(statement("s3:GetObjectVersion", f"{BUCKET}/*", StringEquals={"s3:VersionId": old}))
    assert guest.get_object(Bucket=bucket, Key="v", VersionId=old)["Body"].read() == b"old"
    denied(lambda: guest.get_object(Bucket=bucket, Key="v", VersionId=new))
    denied(lambda: guest.get_object(Bucket=bucket, Key="v"))
    # A delete of a version is not one of the object either.
    put_policy(statement("s3:DeleteObject", f"{BUCKET}/*"))
    denied(lambda: guest.delete_object(Bucket=bucket, Key="v", VersionId=old))
    answer = guest.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "v", "VersionId": old}]})
    assert [error["Code"] for error in answer["Errors"]] == ["AccessDenied"], answer


def one_content():
    content = b"the only content that may be written"
    put_policy(
        statement("s3:PutObject", f"{BUCKET}/*"),
        statement(
            "s3:PutObject",
            f"{BUCKET}/*",
            effect="Deny",
            StringNotEquals={"s3:x-amz-content-sha256": hashlib.sha256(content).hexdigest()},
        ),
    )
    # A checksum would go behind the content, in chunks that nothing signs.
    signing = client(
        story["guest"], {"request_checksum_calculation": "when_required"}, payload_signing_enabled=True
    )
    signing.put_object(Bucket=bucket, Key="content/1", Body=content)
    denied(lambda: signing.put_object(Bucket=bucket, Key="content/2", Body=b"another one"))
    # Over TLS, boto3 signs no content unless it is told to.
    denied(lambda: guest.put_object(Bucket=bucket, Key="content/3", Body=content))
    url = guest.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "content/4"})
    try:
        trusted = ssl.create_default_context(cafile=story.get("caFile"))
        urllib.request.urlopen(urllib.request.Request(url, data=content, method="PUT"), context=trusted)
    except urllib.error.HTTPError as error:
        assert error.code == 403, error.code
    else:
        raise AssertionError("a presigned URL took what is not signed")
    assert keys("content/") == ["content/1"]


def listing():
    for key in ["home/guest/1", "home/guest/2", "home/other/1"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    put_policy(statement("s3:ListBucket", BUCKET, StringLike={"s3:prefix": ["home/guest/*"]}))
    for operation in ["list_objects", "list_objects_v2"]:
        pages = guest.get_paginator(operation).paginate(
            Bucket=bucket, Prefix="home/guest/", PaginationConfig={"PageSize": 1}
        )
        found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        assert found == ["home/guest/1", "home/guest/2"], found
        denied(lambda: getattr(guest, operation)(Bucket=bucket))
        for prefix in ["", "home/", "home/guest", "home/other/"]:
            denied(lambda: getattr(guest, operation)(Bucket=bucket, Prefix=prefix))
    denied(lambda: guest.get_object(Bucket=bucket, Key="home/guest/1"))


def public_access_block():
    everyone = statement("s3:GetObject", f"{BUCKET}/*", principal="*")
    s3.put_object(Bucket=bucket, Key="page", Body=b"for everyone")
    s3.delete_bucket_policy(Bucket=bucket)
    code = code_of(lambda: s3.get_public_access_block(Bucket=bucket))
    assert code == "NoSuchPublicAccessBlockConfiguration", code
    flags = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]

    def block(*on):
        block = {flag: flag in on for flag in flags}
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
        assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == block

    def page(by):
        return by.get_object(Bucket=bucket, Key="page")["Body"].read()

    block(*flags)
    refusal = error_of(lambda: put_policy(everyone))
    assert refusal["Code"] == "AccessDenied" and "BlockPublicPolicy" in refusal["Message"], refusal
    assert code_of(lambda: s3.get_bucket_policy(Bucket=bucket)) == "NoSuchBucketPolicy"
    block()
    put_policy(everyone)
    assert page(anyone) == page(guest) == b"for everyone"
    block("RestrictPublicBuckets")
    denied(lambda: page(anyone))
    denied(lambda: anyone.list_objects_v2(Bucket=bucket))
    assert page(guest) == b"for everyone"
    s3.delete_public_access_block(Bucket=bucket)
    assert page(anyone) == b"for everyone"
    denied(lambda: anyone.get_public_access_block(Bucket=bucket))
    code = code_of(lambda: s3.put_object_acl(Bucket=bucket, Key="page", ACL="public-read"))
    assert code == "AccessControlListNotSupported", code


def policy_status():
    def status():
        return s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]

    s3.delete_bucket_policy(Bucket=bucket)
    assert code_of(status) == "NoSuchBucketPolicy"
    put_policy(statement("s3:GetObject", f"{BUCKET}/*"))
    assert status() is False
    put_policy(statement("s3:GetObject", f"{BUCKET}/*", principal="*"))
    assert status() is True
    put_policy(
        statement("s3:GetObject", f"{BUCKET}/*", principal="*", IpAddress={"aws:SourceIp": "192.0.2.0/24"})
    )
    assert status() is False
    denied(lambda: guest.get_bucket_policy_status(Bucket=bucket))


def malformed():
    before = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    lines = [
        '{"Version": "2012-10-17",',
        ' "Statement": [{"Effect": "Allow", "Principal": "*",',
        '  "Action": "s3:GetObject",',
        f'  "Resource": "{BUCKET}"}}]}}',
    ]
    refusal = error_of(lambda: s3.put_bucket_policy(Bucket=bucket, Policy="\n".join(lines)))
    assert refusal["Code"] == "MalformedPolicy", refusal
    assert refusal["Message"] == "Action does not apply to any resource(s) in statement", refusal
    assert (refusal["Line"], refusal["Column"]) == ("3", "13"), refusal
    assert refusal["Detail"] == "`s3:GetObject` is for objects; add a resource that ends in `/*`", refusal
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == before


def empty():
    s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True}
    )
    try:
        pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=bucket))
        for page in pages:
            for entry in page.get("Versions", []) + page.get("DeleteMarkers", []):
                s3.delete_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])
    except ClientError as error:
        # The store has no versions.
        assert error.response["Error"]["Code"] == "NotImplemented", error
        for key in keys():
            s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    code = code_of(lambda: s3.get_public_access_block(Bucket=bucket))
    assert code == "NoSuchPublicAccessBlockConfiguration", code
    assert code_of(lambda: s3.get_bucket_policy(Bucket=bucket)) == "NoSuchBucketPolicy"
    s3.delete_bucket(Bucket=bucket)


check("make a bucket", make_bucket)
check("delete some of several", delete_several)
check("a copy whose source is forbidden", copy)
check("a version that may not be read", version_refused)
check("a version that may be read", version_read)
check("one content alone", one_content)
check("a listing by prefix", listing)
check("a public access block", public_access_block)
check("the status of a policy", policy_status)
check("what is no policy", malformed)
check("remove all of it", empty)
