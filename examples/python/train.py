#!/usr/bin/env python3
"""Submits a job over plain HTTP, follows it to its end and stores the model.

Needs Python 3.8 and nothing else:

    SKIPRING_URL=http://127.0.0.1:7400 SKIPRING_TOKEN=... python3 train.py glyphs
"""
import json
import os
import sys
import urllib.error
import urllib.request
import uuid

URL = os.environ.get("SKIPRING_URL", "http://127.0.0.1:7400") + "/api/v1"
TOKEN = os.environ.get("SKIPRING_TOKEN", "")


def request(path, body=None, **headers):
    """Opens a request; a refusal ends the program with the coordinator's own words."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json", **headers}
    try:
        return urllib.request.urlopen(urllib.request.Request(URL + path, data, headers), timeout=60)
    except urllib.error.HTTPError as error:
        problem = json.load(error)
        lines = ["%s (%s)" % (problem["detail"], problem["code"])]
        lines += ["  %(field)s: %(value)s: expected %(expected)s" % e for e in problem.get("errors", [])]
        sys.exit("\n".join(lines))


def main(data_set, epochs=1):
    spec = {
        "apiVersion": "skipring/v1",
        "name": "from-python",
        "model": {"family": "resnet-cifar", "depth": 8},
        "data": {"dataSet": data_set},
        "training": {"epochs": epochs},
        "lanes": {"count": 2, "size": 16},
    }
    # The key makes it safe to send the request again: one key makes one job.
    job = json.load(request("/jobs", spec, **{"Idempotency-Key": str(uuid.uuid4())}))
    print("job", job["id"], flush=True)
    for line in request("/jobs/%s/events" % job["id"]):  # server-sent events
        if not line.startswith(b"data: "):
            continue
        event = json.loads(line[6:])
        if event["type"] == "step":
            metrics = event["metrics"]
            print("step %d loss %.4f" % (metrics["step"], metrics["loss"]), flush=True)
        elif event["type"] == "state":
            print(event["state"], event["reason"], flush=True)
    job = json.load(request("/jobs/" + job["id"]))
    if job["state"] != "succeeded":
        sys.exit("the job is %s: %s" % (job["state"], job["reason"]))
    path = job["id"] + ".safetensors"
    with open(path, "wb") as file:
        file.write(request("/jobs/%s/model" % job["id"]).read())
    print("model", path, job["modelSha256"])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
