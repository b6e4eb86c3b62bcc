"""The steps of the user story told by boto3. One step a run: its name is the argument, its story is JSON on stdin."""

import io
import json
import os
import sys
import threading

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

story = json.load(sys.stdin)
bucket = story["bucket"]
files = story["files"]


def client(credentials):
    return boto3.client(
        "s3",
        endpoint_url=story["endpoint"],
        region_name=story["region"],
        aws_access_key_id=credentials["accessKeyId"],
        aws_secret_access_key=credentials["secretAccessKey"],
        verify=story.get("caFile"),
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"max_attempts": 1},
            connect_timeout=5,
            read_timeout=30,
        ),
    )


s3 = client(story["admin"])
parts = TransferConfig(multipart_threshold=story["partSize"], multipart_chunksize=story["partSize"])


def read(path):
    with open(path, "rb") as file:
        return file.read()


def stored(key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def same(actual, expected):
    assert actual == expected, f"expected {len(expected)} bytes, found {len(actual)} or others"


def refused(code, status, call):
    try:
        call()
    except ClientError as error:
        found = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert found == (code, status), found
        return
    raise AssertionError(f"expected {code}, and it was allowed")


class Forward(io.RawIOBase):
    """A stream that can only be read once, forwards, a little at a time."""

    def __init__(self, data):
        super().__init__()
        self.rest = data

    def readable(self):
        return True

    def read(self, size=-1):
        size = len(self.rest) if size is None or size < 0 else min(size, 70_000)
        head, self.rest = self.rest[:size], self.rest[size:]
        return head


def piped(data):
    reading, writing = os.pipe()

    def feed():
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data)

    threading.Thread(target=feed).start()
    return os.fdopen(reading, "rb")


def make_bucket():
    s3.create_bucket(Bucket=bucket)
    s3.head_bucket(Bucket=bucket)
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None


def put():
    s3.upload_file(
        files["small"],
        bucket,
        story["smallKey"],
        ExtraArgs={"ContentType": "text/plain", "Metadata": {"origin": "contract"}},
    )
    head = s3.head_object(Bucket=bucket, Key=story["smallKey"])
    assert head["ContentType"] == "text/plain" and head["Metadata"] == {"origin": "contract"}, head


def get():
    path = os.path.join(story["folder"], "small.txt")
    s3.download_file(bucket, story["smallKey"], path)
    same(read(path), read(files["small"]))


def range_get():
    first, last = story["range"]["first"], story["range"]["last"]
    answer = s3.get_object(Bucket=bucket, Key=story["smallKey"], Range=f"bytes={first}-{last}")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    same(answer["Body"].read(), read(files["small"])[first : last + 1])


def put_from_a_pipe():
    small = read(files["small"])
    streams = {
        "piped.txt": (piped(small), small),
        "memory.txt": (io.BytesIO(small), small),
        "empty.txt": (io.BytesIO(b""), b""),
        "forward.txt": (Forward(small), small),
        "forward-parts.bin": (Forward(read(files["big"])), read(files["big"])),
    }
    for name, (stream, data) in streams.items():
        s3.upload_fileobj(stream, bucket, "reports/" + name, Config=parts)
        same(stored("reports/" + name), data)
    body = io.BytesIO(b"skipped" + small)
    body.seek(7)
    s3.put_object(Bucket=bucket, Key="reports/from-the-middle.txt", Body=body)
    same(stored("reports/from-the-middle.txt"), small)


def list_():
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix="reports/")["Contents"]]
    assert story["smallKey"] in keys and keys == sorted(keys), keys
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == keys
    top = s3.list_objects(Bucket=bucket, Delimiter="/")
    assert [entry["Prefix"] for entry in top["CommonPrefixes"]] == ["reports/"], top


def odd_keys():
    for key in story["oddKeys"]:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        same(stored(key), key.encode())
    found = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix="odd/")["Contents"]]
    assert found == sorted(story["oddKeys"], key=str.encode), found
    for key in story["oddKeys"]:
        s3.delete_object(Bucket=bucket, Key=key)
        refused("404", 404, lambda: s3.head_object(Bucket=bucket, Key=key))


def multipart():
    s3.upload_file(files["big"], bucket, story["bigKey"], Config=parts)
    path = os.path.join(story["folder"], "big.bin")
    s3.download_file(bucket, story["bigKey"], path, Config=parts)
    same(read(path), read(files["big"]))


def copy():
    s3.copy_object(Bucket=bucket, Key=story["copyKey"], CopySource={"Bucket": bucket, "Key": story["smallKey"]})
    same(stored(story["copyKey"]), read(files["small"]))
    # In parts: UploadPartCopy.
    s3.copy({"Bucket": bucket, "Key": story["bigKey"]}, bucket, "copies/big.bin", Config=parts)
    same(stored("copies/big.bin"), read(files["big"]))


def delete_many():
    keys = [story["manyPrefix"] + name for name in os.listdir(files["many"])]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert sorted(entry["Key"] for entry in answer["Deleted"]) == sorted(keys), answer
    assert s3.list_objects_v2(Bucket=bucket, Prefix=story["manyPrefix"])["KeyCount"] == 0


def presigned_get():
    print(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": story["smallKey"]}, ExpiresIn=60))


def presigned_put():
    print(s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": story["presignedKey"]}, ExpiresIn=60))


def denial():
    reader = client(story["reader"])
    same(reader.get_object(Bucket=bucket, Key=story["smallKey"])["Body"].read(), read(files["small"]))
    key = story["deniedKey"]
    refused("AccessDenied", 403, lambda: reader.put_object(Bucket=bucket, Key=key, Body=b"x"))
    refused("AccessDenied", 403, lambda: reader.delete_object(Bucket=bucket, Key=story["smallKey"]))
    refused("AccessDenied", 403, lambda: reader.upload_fileobj(io.BytesIO(read(files["big"])), bucket, key, Config=parts))
    refused("404", 404, lambda: s3.head_object(Bucket=bucket, Key=key))


def wrong_secret():
    forger = client(story["forger"])
    refused("SignatureDoesNotMatch", 403, lambda: forger.get_object(Bucket=bucket, Key=story["smallKey"]))
    refused("SignatureDoesNotMatch", 403, lambda: forger.put_object(Bucket=bucket, Key=story["deniedKey"], Body=b"x"))


def round_trip():
    transfer = story["transfer"]
    s3.upload_file(transfer["from"], bucket, transfer["key"])
    s3.download_file(bucket, transfer["key"], transfer["to"])


STEPS = {
    "make bucket": make_bucket,
    "put": put,
    "get": get,
    "range get": range_get,
    "put from a pipe": put_from_a_pipe,
    "list": list_,
    "odd keys": odd_keys,
    "multipart": multipart,
    "copy": copy,
    "delete many": delete_many,
    "presigned get": presigned_get,
    "presigned put": presigned_put,
    "denial": denial,
    "wrong secret": wrong_secret,
    "round trip": round_trip,
}

STEPS[sys.argv[1]]()
