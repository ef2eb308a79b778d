"""The convolution that all our networks are made of.

There is no batch normalisation: bodies start from weights in which it is folded already, and every layer carries fixed gains per output
channel, so that an optimiser's step means the same in all of them. What is trained is what is exported.
"""

import torch
from torch import nn
from torch.nn import functional


class Layer(nn.Module):
    """Convolution, bias and (unless `linear`) ReLU6; `gain` [out] is fixed, `weight` [out, in, k, k] has unit size."""

    def __init__(self, source: int, out: int, kernel: int = 1, stride: int = 1, *, depthwise: bool = False, linear: bool = False):
        super().__init__()
        groups = source if depthwise else 1
        self.kernel, self.stride, self.groups, self.linear = kernel, stride, groups, linear
        fan = source // groups * kernel * kernel
        self.weight = nn.Parameter(torch.randn(out, source // groups, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out))
        self.register_buffer("gain", torch.full((out,), (2.0 / fan) ** 0.5))

    def folded(self) -> torch.Tensor:
        """The weights as they act, [out, in, k, k]."""
        return self.weight * self.gain[:, None, None, None]

    def load(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        """Takes weights [out, in, k, k] and biases [out] from elsewhere, split into gain and unit-size weight."""
        size = weight.square().mean(dim=(1, 2, 3)).sqrt()
        gain = size.clamp(min=float(size.median()) * 0.05)
        with torch.no_grad():
            self.gain.copy_(gain)
            self.weight.copy_(weight / gain[:, None, None, None])
            self.bias.copy_(bias)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """[b, in, h, w] to [b, out, h / stride, w / stride]; padding as TensorFlow's SAME for even sides."""
        padding = self.kernel // 2
        if self.stride == 2:
            picture, padding = functional.pad(picture, (padding - 1, padding, padding - 1, padding)), 0
        made = functional.conv2d(picture, self.folded(), self.bias, self.stride, padding, groups=self.groups)
        return made if self.linear else functional.relu6(made, inplace=True)


class Separable(nn.Module):
    """A depthwise 3x3 layer and a pointwise one."""

    def __init__(self, source: int, out: int, stride: int = 1):
        super().__init__()
        self.stride = stride
        self.depth = Layer(source, source, 3, stride, depthwise=True)
        self.point = Layer(source, out)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """[b, in, h, w] to [b, out, h / stride, w / stride]."""
        return self.point(self.depth(picture))


class Inverted(nn.Module):
    """Widen, filter, narrow, and add to what came in (MobileNet v2); the narrow end is linear."""

    def __init__(self, source: int, out: int, stride: int, kernel: int, widen: int):
        super().__init__()
        self.stride, self.adds = stride, stride == 1 and source == out
        self.wide = Layer(source, source * widen) if widen > 1 else None
        self.depth = Layer(source * widen, source * widen, kernel, stride, depthwise=True)
        self.point = Layer(source * widen, out, linear=True)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """[b, in, h, w] to [b, out, h / stride, w / stride]."""
        made = picture if self.wide is None else self.wide(picture)
        made = self.point(self.depth(made))
        return picture + made if self.adds else made
