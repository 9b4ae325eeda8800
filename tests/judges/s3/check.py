#!/usr/bin/env python3
"""The way of blobs to S3, judged by a server that is not ours (moto) and another client (boto3).

    check.py COMMAND...     run with STATION_S3_SETTINGS=<a blob_store_file>; it sends to s3://centre/province
"""

import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

BUCKET, PREFIX = "centre", "province/demo"
CREDENTIALS = {"aws_access_key_id": "station", "aws_secret_access_key": "not-a-secret", "region_name": "us-east-1"}


def settings(folder: Path, endpoint: str) -> Path:
    lines = {"AWS_ENDPOINT": endpoint, "AWS_ALLOW_HTTP": "true"}
    lines |= {("aws_region" if name == "region_name" else name).upper(): value for name, value in CREDENTIALS.items()}
    path = folder / "blob-store"
    path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    path.chmod(0o600)
    return path


def main(command: list[str]) -> None:
    # A line for each request otherwise.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client = boto3.client("s3", endpoint_url=endpoint, **CREDENTIALS)
        client.create_bucket(Bucket=BUCKET)
        with tempfile.TemporaryDirectory() as folder:
            path = settings(Path(folder), endpoint)
            subprocess.run(command, check=True, timeout=900, env=os.environ | {"STATION_S3_SETTINGS": str(path)})
        judge(client)
    finally:
        server.stop()


def judge(client) -> None:
    found = {"blobs": 0, "session-keys": 0}
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    for name in (entry["Key"] for page in pages for entry in page.get("Contents", [])):
        prefix, folder, file = name.rsplit("/", 2)
        assert prefix == PREFIX, name
        found[folder] += 1
        content = client.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        if folder == "blobs":
            assert hashlib.sha256(content).hexdigest() == file, name
        else:
            assert f"{json.loads(content)['key']}.json" == file, name
    assert min(found.values()) > 0, found
    print(f"s3: {found['blobs']} blobs and {found['session-keys']} keys, each as it is named")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
