"""The benchmarks' models in PyTorch."""
import torch
import torch.nn.functional as F
from torch import nn


def conv(inputs, filters, size, stride=1):
    return nn.Conv2d(inputs, filters, size, stride, size // 2, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, with option A: identity, subsampled and padded with zero channels."""

    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.stride, self.padding = stride, filters - inputs
        self.conv1, self.norm1 = conv(inputs, filters, 3, stride), nn.BatchNorm2d(filters)
        self.conv2, self.norm2 = conv(filters, filters, 3), nn.BatchNorm2d(filters)

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        kept = x[:, :, :: self.stride, :: self.stride]
        return F.relu(y + F.pad(kept, (0, 0, 0, 0, 0, self.padding)))


def cifar_resnet(depth, channels, num_classes):
    layers = [conv(channels, 16, 3), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for filters in (16, 32, 64):
        for index in range((depth - 2) // 6):
            stride = 2 if filters > 16 and index == 0 else 1
            layers.append(BasicBlock(inputs, filters, stride))
            inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, num_classes))


class Bottleneck(nn.Module):
    """1x1, 3x3 with the stride, 1x1, with a projection where the shape changes."""

    def __init__(self, inputs, filters, stride):
        super().__init__()
        outputs = 4 * filters
        self.body = nn.Sequential(
            conv(inputs, filters, 1), nn.BatchNorm2d(filters), nn.ReLU(),
            conv(filters, filters, 3, stride), nn.BatchNorm2d(filters), nn.ReLU(),
            conv(filters, outputs, 1), nn.BatchNorm2d(outputs),
        )
        same = stride == 1 and inputs == outputs
        projection = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity() if same else projection

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet50(channels, num_classes):
    layers = [conv(channels, 64, 7, 2), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    inputs = 64
    for filters, num_blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for index in range(num_blocks):
            stride = 2 if filters > 64 and index == 0 else 1
            layers.append(Bottleneck(inputs, filters, stride))
            inputs = 4 * filters
    pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(*layers, *pooled, nn.Linear(inputs, num_classes))


class DenseLayer(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs), nn.ReLU(), conv(inputs, 4 * growth, 1),
            nn.BatchNorm2d(4 * growth), nn.ReLU(), conv(4 * growth, growth, 3),
        )

    def forward(self, x):
        return torch.cat([x, self.body(x)], 1)


def densenet_bc(depth, growth, channels, num_classes):
    filters = 2 * growth
    layers = [conv(channels, filters, 3)]
    for block in range(3):
        if block > 0:
            half = filters // 2
            layers += [nn.BatchNorm2d(filters), nn.ReLU(), conv(filters, half, 1), nn.AvgPool2d(2)]
            filters = half
        for _ in range((depth - 4) // 6):
            layers.append(DenseLayer(filters, growth))
            filters += growth
    end = (nn.BatchNorm2d(filters), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(*layers, *end, nn.Linear(filters, num_classes))


def build(name, channels):
    if name == "ResNet-50":
        return resnet50(channels, 1000), 1000
    if name == "DenseNet-BC-100-12":
        return densenet_bc(100, 12, channels, 10), 10
    return cifar_resnet(int(name.removeprefix("ResNet-")), channels, 10), 10
