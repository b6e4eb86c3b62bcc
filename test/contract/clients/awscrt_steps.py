"""The steps of the user story, signed with SigV4A by AWS's common runtime (awscrt), which signs the requests and the
chunks; Python's http.client carries them. One step a run: its name is the argument, its story is JSON on stdin."""

import base64
import hashlib
import hmac
import html
import json
import os
import re
import ssl
import sys
import threading
import zlib
from datetime import datetime, timezone
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import quote, unquote, urlencode, urlsplit
from xml.sax.saxutils import escape

from awscrt.auth import (
    AwsCredentialsProvider,
    AwsSignatureType,
    AwsSignedBodyHeaderType,
    AwsSignedBodyValue,
    AwsSigningAlgorithm,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.crypto import EC
from awscrt.http import HttpHeaders, HttpRequest

story = json.load(sys.stdin)
bucket = story["bucket"]
files = story["files"]
endpoint = urlsplit(story["endpoint"])

ALGORITHM = "AWS4-ECDSA-P256-SHA256"
CHUNKS = f"STREAMING-{ALGORITHM}-PAYLOAD"
CHUNKS_AND_TRAILER = f"{CHUNKS}-TRAILER"
CHUNK_SIZE = 64 * 1024
# Characters of a signature in the framing; shorter ones are padded.
SIGNATURE_LENGTH = 144
EMPTY = hashlib.sha256(b"").hexdigest()
# Order of the curve P-256.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(status, body)
        self.status = status
        self.code = text_of("Code", body.decode())[0] if b"<Code>" in body else None


class Client:
    def __init__(self, credentials, region_set=None):
        self.credentials = credentials
        self.region_set = region_set or story["region"]
        self.provider = AwsCredentialsProvider.new_static(
            credentials["accessKeyId"], credentials["secretAccessKey"]
        )

    def config(self, kind, date, payload, expires=None):
        presigned = kind == AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS
        return AwsSigningConfig(
            algorithm=AwsSigningAlgorithm.V4_ASYMMETRIC,
            signature_type=kind,
            credentials_provider=self.provider,
            region=self.region_set,
            service="s3",
            date=date,
            use_double_uri_encode=False,
            should_normalize_uri_path=False,
            signed_body_value=payload,
            signed_body_header_type=(
                AwsSignedBodyHeaderType.NONE if presigned else AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256
            ),
            expiration_in_seconds=expires,
        )

    def signed(self, method, target, headers, payload, date):
        request = HttpRequest(method, target, HttpHeaders([("Host", endpoint.netloc), *headers.items()]))
        config = self.config(AwsSignatureType.HTTP_REQUEST_HEADERS, date, payload)
        return aws_sign_request(request, config).result(10)

    def presign(self, method, key):
        target = target_of(key)
        request = HttpRequest(method, target, HttpHeaders([("Host", endpoint.netloc)]))
        kind = AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS
        config = self.config(kind, datetime.now(timezone.utc), AwsSignedBodyValue.UNSIGNED_PAYLOAD, expires=60)
        return f"{story['endpoint']}{aws_sign_request(request, config).result(10).path}"

    def request(self, method, target, headers=None, body=b""):
        """With the body's hash in the signature."""
        fields = dict(headers or {})
        if body:
            fields["Content-Length"] = str(len(body))
        payload = hashlib.sha256(body).hexdigest()
        return send(self.signed(method, target, fields, payload, datetime.now(timezone.utc)), body)

    def upload(self, target, data, form, headers=None):
        """In signed chunks, with a signed CRC32 after them where the form has a trailer."""
        date = datetime.now(timezone.utc)
        sizes = [len(data[at : at + CHUNK_SIZE]) for at in range(0, len(data), CHUNK_SIZE)] + [0]
        length = sum(len(f"{size:x};chunk-signature=") + SIGNATURE_LENGTH + 2 + size + 2 for size in sizes)
        fields = {
            **(headers or {}),
            "Content-Encoding": "aws-chunked",
            "X-Amz-Decoded-Content-Length": str(len(data)),
        }
        line = b""
        if form == CHUNKS_AND_TRAILER:
            crc = base64.b64encode(zlib.crc32(data).to_bytes(4, "big"))
            line = b"x-amz-checksum-crc32:" + crc
            fields["X-Amz-Trailer"] = "x-amz-checksum-crc32"
            length += len(line) + 2 + len("x-amz-trailer-signature:") + SIGNATURE_LENGTH + 2
        fields["Content-Length"] = str(length)
        request = self.signed("PUT", target, fields, form, date)
        return send(request, self.frame(request, date, data, line))

    def frame(self, request, date, data, line):
        # The string to sign has whole seconds, and so do the chunks.
        timestamp = request.headers.get("X-Amz-Date")
        prefix = f"{timestamp}\n{timestamp[:8]}/s3/aws4_request\n"
        key = key_pair(self.credentials)
        previous = request.headers.get("Authorization").rpartition("Signature=")[2]

        def sign(kind, hashes):
            nonlocal previous
            text = f"{ALGORITHM}-{kind}\n{prefix}{previous}\n{hashes}"
            previous = key.sign(hashlib.sha256(text.encode()).digest()).hex()
            return previous.ljust(SIGNATURE_LENGTH, "*").encode()

        framed = []
        for at in [*range(0, len(data), CHUNK_SIZE), len(data)]:
            chunk = data[at : at + CHUNK_SIZE]
            signature = sign("PAYLOAD", f"{EMPTY}\n{hashlib.sha256(chunk).hexdigest()}")
            framed.append(f"{len(chunk):x};chunk-signature=".encode() + signature + b"\r\n" + chunk)
            if chunk:
                framed.append(b"\r\n")
        if line:
            signature = sign("TRAILER", hashlib.sha256(line + b"\n").hexdigest())
            framed.append(line + b"\r\nx-amz-trailer-signature:" + signature + b"\r\n")
        return b"".join([*framed, b"\r\n"])

    def get(self, key, headers=None):
        return self.request("GET", target_of(key), headers)[1]

    def put(self, key, data, form=CHUNKS_AND_TRAILER, headers=None):
        self.upload(target_of(key), data, form, headers)

    def delete(self, key):
        self.request("DELETE", target_of(key))

    def keys(self, prefix):
        query = {"encoding-type": "url", "list-type": "2", "prefix": prefix}
        _, body = self.request("GET", target_of(**query))
        found = text_of("Key", body.decode())
        # Not every store encodes them.
        encoded = text_of("EncodingType", body.decode()) == ["url"]
        return [unquote(key.replace("+", " ")) for key in found] if encoded else found


def key_pair(credentials):
    """Derived from the secret: a KDF in counter mode, as awslabs/aws-c-auth describes it."""
    secret = f"AWS4A{credentials['secretAccessKey']}".encode()
    for counter in range(1, 255):
        fixed = f"{ALGORITHM}\0{credentials['accessKeyId']}".encode() + bytes([counter]) + (256).to_bytes(4, "big")
        number = int.from_bytes(hmac.digest(secret, (1).to_bytes(4, "big") + fixed, "sha256"), "big")
        if number <= ORDER - 2:
            return EC.new_key_from_der_data(der_key(number + 1))
    raise AssertionError("no key")


def der_key(number):
    """ECPrivateKey of RFC 5915, with the public key: awscrt signs wrongly without it."""
    x, y = public_point(number)
    numbers = [each.to_bytes(32, "big") for each in (number, x, y)]
    curve = bytes.fromhex("a00a06082a8648ce3d030107")
    return bytes.fromhex("30770201010420") + numbers[0] + curve + bytes.fromhex("a14403420004") + numbers[1] + numbers[2]


def public_point(number):
    """The generator of P-256 added to itself `number` times (SEC 1, section 2.2.1)."""
    generator = (
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    )
    field = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF

    def add(one, other):
        if one is None or other is None:
            return one or other
        (x1, y1), (x2, y2) = one, other
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, field) if one == other else (y2 - y1) * pow(x2 - x1, -1, field)
        x = (slope * slope - x1 - x2) % field
        return x, (slope * (x1 - x) - y1) % field

    result, doubled = None, generator
    while number:
        if number & 1:
            result = add(result, doubled)
        doubled = add(doubled, doubled)
        number >>= 1
    return result


def target_of(key=None, **query):
    path = f"/{bucket}" if key is None else f"/{bucket}/{quote(key, safe='/-._~')}"
    return f"{path}?{urlencode(query, quote_via=quote)}" if query else path


def text_of(element, xml):
    found = re.findall(f"<{element}>([^<]*)</{element}>", xml)
    return [html.unescape(text) for text in found]


def send(request, body=b""):
    if endpoint.scheme == "https":
        context = ssl.create_default_context(cafile=story.get("caFile"))
        connection = HTTPSConnection(endpoint.hostname, endpoint.port, timeout=30, context=context)
    else:
        connection = HTTPConnection(endpoint.hostname, endpoint.port, timeout=30)
    try:
        connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value.encode())
        connection.endheaders()
        if body:
            connection.send(body)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status >= 300:
        raise Refused(answer.status, content)
    return answer, content


s3 = Client(story["admin"])


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def same(actual, expected):
    assert actual == expected, f"expected {len(expected)} bytes, found {len(actual)} or others"


def refused(code, status, call):
    try:
        call()
    except Refused as error:
        assert (error.code, error.status) == (code, status), (error.code, error.status)
        return
    raise AssertionError(f"expected {code}, and it was allowed")


def absent(key):
    refused("NoSuchKey", 404, lambda: s3.get(key))


def make_bucket():
    s3.request("PUT", target_of())
    s3.request("HEAD", target_of())
    assert bucket in text_of("Name", s3.request("GET", "/")[1].decode())


def put():
    headers = {"Content-Type": "text/plain", "X-Amz-Meta-Origin": "contract"}
    data = read(files["small"])
    s3.request("PUT", target_of(story["smallKey"]), headers, data)
    answer, _ = s3.request("HEAD", target_of(story["smallKey"]))
    assert answer.getheader("Content-Type") == "text/plain", answer.getheaders()
    assert answer.getheader("x-amz-meta-origin") == "contract", answer.getheaders()
    for form in (CHUNKS, CHUNKS_AND_TRAILER):
        s3.put("reports/chunks.txt", data, form, headers)
        answer, found = s3.request("GET", target_of("reports/chunks.txt"))
        same(found, data)
        assert answer.getheader("Content-Encoding") is None, answer.getheaders()
        assert answer.getheader("x-amz-meta-origin") == "contract", answer.getheaders()


def get():
    same(s3.get(story["smallKey"]), read(files["small"]))
    for region_set in ("*", "us-*,eu-*", f"eu-west-1,{story['region']}"):
        same(Client(story["admin"], region_set).get(story["smallKey"]), read(files["small"]))


def range_get():
    first, last = story["range"]["first"], story["range"]["last"]
    found = s3.get(story["smallKey"], {"Range": f"bytes={first}-{last}"})
    same(found, read(files["small"])[first : last + 1])


def put_from_a_pipe():
    # A signed length has to be known before: who reads from a pipe reads it to its end.
    data = read(files["small"])
    reading, writing = os.pipe()

    def feed():
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data)

    threading.Thread(target=feed).start()
    with os.fdopen(reading, "rb") as pipe:
        s3.put(story["pipedKey"], pipe.read())
    same(s3.get(story["pipedKey"]), data)


def list_():
    found = s3.keys("reports/")
    assert found == sorted(found) and {story["smallKey"], story["pipedKey"]} <= set(found), found
    _, top = s3.request("GET", target_of(**{"delimiter": "/", "list-type": "2"}))
    assert text_of("Key", top.decode()) == [], top


def odd_keys():
    for key in story["oddKeys"]:
        s3.put(key, key.encode())
        same(s3.get(key), key.encode())
    assert s3.keys("odd/") == sorted(story["oddKeys"], key=str.encode), s3.keys("odd/")
    for key in story["oddKeys"]:
        s3.delete(key)
        absent(key)


def multipart():
    key, data = story["bigKey"], read(files["big"])
    _, made = s3.request("POST", f"{target_of(key)}?uploads=")
    upload_id = text_of("UploadId", made.decode())[0]
    parts = []
    for number, at in enumerate(range(0, len(data), story["partSize"]), start=1):
        target = target_of(key, partNumber=number, uploadId=upload_id)
        form = CHUNKS if number % 2 == 0 else CHUNKS_AND_TRAILER
        answer, _ = s3.upload(target, data[at : at + story["partSize"]], form)
        tag = escape(answer.getheader("ETag"))
        parts.append(f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>")
    document = f"<CompleteMultipartUpload>{''.join(parts)}</CompleteMultipartUpload>".encode()
    s3.request("POST", target_of(key, uploadId=upload_id), body=document)
    same(s3.get(key), data)


def copy():
    source = quote(f"{bucket}/{story['smallKey']}", safe="/-._~")
    s3.request("PUT", target_of(story["copyKey"]), {"X-Amz-Copy-Source": source})
    same(s3.get(story["copyKey"]), read(files["small"]))


def delete_many():
    names = [story["manyPrefix"] + name for name in story["manyNames"]]
    for key in names:
        s3.put(key, b"x")
    objects = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in names)
    document = f"<Delete>{objects}</Delete>".encode()
    md5 = base64.b64encode(hashlib.md5(document).digest()).decode()
    _, answer = s3.request("POST", f"{target_of()}?delete=", {"Content-MD5": md5}, document)
    assert sorted(text_of("Key", answer.decode())) == sorted(names), answer
    assert s3.keys(story["manyPrefix"]) == []


def presigned_get():
    print(s3.presign("GET", story["smallKey"]))


def presigned_put():
    print(s3.presign("PUT", story["presignedKey"]))


def denial():
    reader = Client(story["reader"])
    same(reader.get(story["smallKey"]), read(files["small"]))
    refused("AccessDenied", 403, lambda: reader.put(story["deniedKey"], b"x"))
    refused("AccessDenied", 403, lambda: reader.delete(story["smallKey"]))
    absent(story["deniedKey"])


def wrong_secret():
    forger = Client(story["forger"])
    refused("SignatureDoesNotMatch", 403, lambda: forger.get(story["smallKey"]))
    refused("SignatureDoesNotMatch", 403, lambda: forger.put(story["deniedKey"], b"x"))
    elsewhere = Client(story["admin"], "eu-west-1,ap-*")
    refused("RegionSetMismatch", 400, lambda: elsewhere.get(story["smallKey"]))


def round_trip():
    transfer = story["transfer"]
    s3.put(transfer["key"], read(transfer["from"]))
    write(transfer["to"], s3.get(transfer["key"]))


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
