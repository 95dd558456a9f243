"""The same training step in PyTorch. Arguments: model, input shape, batch size, precision,
device (cpu or gpu, where matrices are multiplied in TF32 as convolutions are).

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
device = "cuda" if sys.argv[5] == "gpu" else "cpu"
torch.backends.cudnn.benchmark = True
torch.set_float32_matmul_precision("high" if device == "cuda" else "highest")
torch.manual_seed(1)
model, num_classes = build(name, channels)
model = model.to(device, memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
images = torch.randn(samples, channels, height, width).contiguous(memory_format=torch.channels_last)
labels = torch.randint(num_classes, (samples,))


def step():
    optimizer.zero_grad()
    # A batch is new at every step: on a GPU it is copied there.
    x, y = images.to(device), labels.to(device)
    with torch.autocast(device, torch.bfloat16, enabled=mixed):
        loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()


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
