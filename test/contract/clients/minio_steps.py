"""The steps of the user story told by MinIO's client. One step a run: its name is the argument, its story is JSON on stdin."""

import io
import json
import os
import sys
import threading
from datetime import timedelta

import urllib3
from minio import Minio
from minio.commonconfig import ComposeSource, CopySource
from minio.deleteobjects import DeleteObject
from minio.error import S3Error

story = json.load(sys.stdin)
bucket = story["bucket"]
files = story["files"]


def client(credentials):
    scheme, _, host = story["endpoint"].partition("://")
    trusted = {"cert_reqs": "CERT_REQUIRED", "ca_certs": story["caFile"]} if "caFile" in story else {}
    return Minio(
        endpoint=host,
        secure=scheme == "https",
        region=story["region"],
        access_key=credentials["accessKeyId"],
        secret_key=credentials["secretAccessKey"],
        http_client=urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=30), retries=False, **trusted),
    )


s3 = client(story["admin"])


def read(path):
    with open(path, "rb") as file:
        return file.read()


def stored(key, reader=s3, **options):
    answer = reader.get_object(bucket_name=bucket, object_name=key, **options)
    try:
        return answer.read()
    finally:
        answer.close()


def same(actual, expected):
    assert actual == expected, f"expected {len(expected)} bytes, found {len(actual)} or others"


def keys(prefix):
    return [entry.object_name for entry in s3.list_objects(bucket_name=bucket, prefix=prefix, recursive=True)]


def put_bytes(key, data, writer=s3):
    writer.put_object(bucket_name=bucket, object_name=key, data=io.BytesIO(data), length=len(data))


def remove(key, remover=s3):
    remover.remove_object(bucket_name=bucket, object_name=key)


def refused(code, status, call):
    try:
        call()
    except S3Error as error:
        assert (error.code, error.response.status) == (code, status), (error.code, error.response.status)
        return
    raise AssertionError(f"expected {code}, and it was allowed")


def absent(key):
    refused("NoSuchKey", 404, lambda: s3.stat_object(bucket_name=bucket, object_name=key))


def piped(data):
    reading, writing = os.pipe()

    def feed():
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data)

    threading.Thread(target=feed).start()
    return os.fdopen(reading, "rb")


def make_bucket():
    s3.make_bucket(bucket_name=bucket)
    assert s3.bucket_exists(bucket_name=bucket)
    assert bucket in [entry.name for entry in s3.list_buckets()]


def put():
    s3.fput_object(
        bucket_name=bucket,
        object_name=story["smallKey"],
        file_path=files["small"],
        content_type="text/plain",
        metadata={"origin": "contract"},
    )
    head = s3.stat_object(bucket_name=bucket, object_name=story["smallKey"])
    assert head.content_type == "text/plain", head.content_type
    assert head.metadata["x-amz-meta-origin"] == "contract", head.metadata


def get():
    path = os.path.join(story["folder"], "small.txt")
    s3.fget_object(bucket_name=bucket, object_name=story["smallKey"], file_path=path)
    same(read(path), read(files["small"]))


def range_get():
    first, last = story["range"]["first"], story["range"]["last"]
    found = stored(story["smallKey"], offset=first, length=last + 1 - first)
    same(found, read(files["small"])[first : last + 1])


def put_from_a_pipe():
    for key, path in ((story["pipedKey"], files["small"]), ("reports/piped-parts.bin", files["big"])):
        data = read(path)
        with piped(data) as pipe:
            s3.put_object(
                bucket_name=bucket, object_name=key, data=pipe, length=-1, part_size=story["partSize"]
            )
        same(stored(key), data)


def list_():
    found = keys("reports/")
    assert found == sorted(found) and {story["smallKey"], story["pipedKey"]} <= set(found), found
    top = [entry.object_name for entry in s3.list_objects(bucket_name=bucket)]
    assert top == ["reports/"], top
    old = s3.list_objects(bucket_name=bucket, prefix="reports/", recursive=True, use_api_v1=True)
    assert [entry.object_name for entry in old] == found


def odd_keys():
    for key in story["oddKeys"]:
        put_bytes(key, key.encode())
        same(stored(key), key.encode())
    assert keys("odd/") == sorted(story["oddKeys"], key=str.encode), keys("odd/")
    for key in story["oddKeys"]:
        remove(key)
        absent(key)


def multipart():
    s3.fput_object(
        bucket_name=bucket, object_name=story["bigKey"], file_path=files["big"], part_size=story["partSize"]
    )
    path = os.path.join(story["folder"], "big.bin")
    s3.fget_object(bucket_name=bucket, object_name=story["bigKey"], file_path=path)
    same(read(path), read(files["big"]))


def copy():
    source = CopySource(bucket_name=bucket, object_name=story["smallKey"])
    s3.copy_object(bucket_name=bucket, object_name=story["copyKey"], source=source)
    same(stored(story["copyKey"]), read(files["small"]))
    # UploadPartCopy.
    big = ComposeSource(bucket_name=bucket, object_name=story["bigKey"])
    small = ComposeSource(bucket_name=bucket, object_name=story["smallKey"])
    s3.compose_object(bucket_name=bucket, object_name="copies/composed.bin", sources=[big, small])
    same(stored("copies/composed.bin"), read(files["big"]) + read(files["small"]))


def delete_many():
    names = [story["manyPrefix"] + name for name in story["manyNames"]]
    for key in names:
        put_bytes(key, b"x")
    errors = s3.remove_objects(bucket_name=bucket, delete_object_list=[DeleteObject(key) for key in names])
    assert list(errors) == []
    assert keys(story["manyPrefix"]) == []


def presigned_get():
    print(s3.presigned_get_object(bucket_name=bucket, object_name=story["smallKey"], expires=timedelta(minutes=1)))


def presigned_put():
    print(s3.presigned_put_object(bucket_name=bucket, object_name=story["presignedKey"], expires=timedelta(minutes=1)))


def denial():
    reader = client(story["reader"])
    same(stored(story["smallKey"], reader), read(files["small"]))
    refused("AccessDenied", 403, lambda: put_bytes(story["deniedKey"], b"x", reader))
    refused("AccessDenied", 403, lambda: remove(story["smallKey"], reader))
    absent(story["deniedKey"])


def wrong_secret():
    forger = client(story["forger"])
    refused("SignatureDoesNotMatch", 403, lambda: stored(story["smallKey"], forger))
    refused("SignatureDoesNotMatch", 403, lambda: put_bytes(story["deniedKey"], b"x", forger))


def round_trip():
    transfer = story["transfer"]
    s3.fput_object(bucket_name=bucket, object_name=transfer["key"], file_path=transfer["from"])
    s3.fget_object(bucket_name=bucket, object_name=transfer["key"], file_path=transfer["to"])


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
