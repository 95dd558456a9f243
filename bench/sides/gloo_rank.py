"""One rank of torch.distributed with gloo. Arguments: rank, world size, file of the rendezvous.

Reads and answers lines of JSON, as bench/lib/serve-rank.mjs does.
"""
import json
import os
import sys
import time

import torch
import torch.distributed as dist


def answer(message):
    print(json.dumps(message), flush=True)


rank, world_size = int(sys.argv[1]), int(sys.argv[2])
answer({"ready": {"pytorch": torch.__version__}})
prepared, vector = None, None
for line in sys.stdin:
    request = json.loads(line)
    if "addresses" in request:
        dist.init_process_group(
            "gloo", init_method=f"file://{sys.argv[3]}", rank=rank, world_size=world_size
        )
        answer({"connected": True})
        continue
    case = (request["bytes"], request["type"])
    if prepared != case:
        dtype = torch.int32 if case[1] == "int32" else torch.float32
        prepared, vector = case, torch.zeros(case[0] // 4, dtype=dtype)
    elapsed_ms = []
    dist.barrier()
    before = os.times()
    last = time.perf_counter()
    for _ in range(request["iterations"]):
        dist.all_reduce(vector)
        now = time.perf_counter()
        elapsed_ms.append(1e3 * (now - last))
        last = now
    after = os.times()
    answer(
        {
            "elapsedMs": elapsed_ms,
            "userMs": 1e3 * (after.user - before.user),
            "systemMs": 1e3 * (after.system - before.system),
        }
    )
dist.destroy_process_group()
