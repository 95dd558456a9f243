"""One rank that trains with PyTorch, alone or with DistributedDataParallel over gloo.

Arguments: rank, world size, file of the rendezvous, the core it is bound to, model, samples of a
rank, height and width of an image. Reads and answers lines of JSON: {"connect": true}, then
{"numRanks": 1 or the world size, "numSteps": N} with the milliseconds of each step but the first.
"""
import os
import sys

# Before torch starts threads: they all inherit it.
os.sched_setaffinity(0, {int(sys.argv[4])})

import copy
import json
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel
from torch_models import build


def answer(message):
    print(json.dumps(message), flush=True)


def trainer(model):
    """A function that does one training step of `model`."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return step


rank, world_size, rendezvous = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
samples, size = int(sys.argv[6]), int(sys.argv[7])
torch.set_num_threads(1)
torch.manual_seed(1)
model, num_classes = build(sys.argv[5], 3)
model = model.to(memory_format=torch.channels_last)
images = torch.randn(samples, 3, size, size).contiguous(memory_format=torch.channels_last)
labels = torch.randint(num_classes, (samples,))
answer({"ready": {"pytorch": torch.__version__}})
steps = {}
for line in sys.stdin:
    request = json.loads(line)
    if "connect" in request:
        dist.init_process_group(
            "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=world_size
        )
        steps = {
            1: trainer(copy.deepcopy(model)),
            world_size: trainer(DistributedDataParallel(model)),
        }
        answer({"connected": True})
        continue
    step = steps[request["numRanks"]]
    elapsed_ms = []
    last = time.perf_counter()
    for _ in range(request["numSteps"]):
        step()
        now = time.perf_counter()
        elapsed_ms.append(1e3 * (now - last))
        last = now
    answer({"elapsedMs": elapsed_ms[1:]})
dist.destroy_process_group()
