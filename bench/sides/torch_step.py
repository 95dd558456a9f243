"""The same training step in PyTorch. Arguments: input shape, batch size, precision.

Answers every line on standard input with {"elapsedMs": ...} on standard output.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    """Basic block with option A: identity, subsampled and padded with zero channels."""

    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.stride, self.padding = stride, filters - inputs
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        kept = x[:, :, :: self.stride, :: self.stride]
        return F.relu(y + F.pad(kept, (0, 0, 0, 0, 0, self.padding)))


def resnet20(channels, num_classes):
    layers = [nn.Conv2d(channels, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for filters in (16, 32, 64):
        for index in range(3):
            stride = 2 if filters > 16 and index == 0 else 1
            layers.append(Block(inputs, filters, stride))
            inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, num_classes))


height, width, channels = (int(size) for size in sys.argv[1].split("x"))
samples = int(sys.argv[2])
mixed = sys.argv[3] == "bfloat16"
torch.manual_seed(1)
model = resnet20(channels, 10).to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
images = torch.randn(samples, channels, height, width).to(memory_format=torch.channels_last)
labels = torch.randint(10, (samples,))

print(json.dumps({"ready": {"pytorch": torch.__version__}}), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    optimizer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    print(json.dumps({"elapsedMs": 1e3 * (time.perf_counter() - start)}), flush=True)
