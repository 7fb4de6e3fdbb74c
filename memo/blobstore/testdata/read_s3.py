# Reads a cache as any Python program does: lists objects with boto3, loads them with
# np.load, and prints digest, shape, sum and first record of what it finds.
import io, json, os, sys
import boto3
import numpy as np

endpoint, bucket, prefix = sys.argv[1:4]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=boto3.session.Config(s3={"addressing_style": "path"}))
arrays = {}
records = 0
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + "/"):
    for item in page.get("Contents", []):
        name = item["Key"][len(prefix) + 1:]
        body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        if name.startswith("objects/"):
            arrays[os.path.basename(name)] = np.load(io.BytesIO(body), allow_pickle=False)
        elif name.startswith("calls/"):
            assert json.loads(body)["format"] == 1
            records += 1
print("records", records)
for name, a in sorted(arrays.items()):
    print(name.removesuffix(".npy"), a.shape[0], a.shape[1], int(a[0, -1]), int(a[-1, 0]))
