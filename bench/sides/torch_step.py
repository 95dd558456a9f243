"""The same training step in PyTorch. Arguments: model, input shape, batch size, precision.

Answers every line on standard input, {} or {"what": "memory"}, with {"elapsedMs": ...} on standard
output: milliseconds of a step, or the most resident memory so far in bytes.
"""
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch_models import build

start = time.perf_counter()
name, shape, samples = sys.argv[1], sys.argv[2], int(sys.argv[3])
height, width, channels = (int(size) for size in shape.split("x"))
mixed = sys.argv[4] == "bfloat16"
torch.manual_seed(1)
model, num_classes = build(name, channels)
model = model.to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
images = torch.randn(samples, channels, height, width).to(memory_format=torch.channels_last)
labels = torch.randint(num_classes, (samples,))


def step():
    optimizer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()


step()
about = {"pytorch": torch.__version__, "firstStepMs": 1e3 * (time.perf_counter() - start)}
print(json.dumps({"ready": about}), flush=True)
for line in sys.stdin:
    if json.loads(line).get("what") == "memory":
        answer = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    else:
        start = time.perf_counter()
        step()
        answer = 1e3 * (time.perf_counter() - start)
    print(json.dumps({"elapsedMs": answer}), flush=True)
