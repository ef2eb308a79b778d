"""The detector as a network: MobileNet v1 body, feature pyramid to stride 4, two centre-point heads.

Small people are found at stride 4, large ones at stride 8: a distance then fits eight bits to a quarter of a cell. There is no batch
normalisation: the body starts from weights in which it is folded already, and every layer carries fixed gains per output channel, so that
an optimiser's step means the same in all of them. What is trained is what is exported. Assignment of people to heads: `targets`.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

STRIDES = (4, 8)
# The farthest edge a head can state, in cells: 64 and 512 pixels, one and two thirds of a level in eight bits.
REACH = (16.0, 64.0)
# MobileNet v1: output channels at width 1.0 and stride of each separable block.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1))
PEAK_PRIOR = -4.6  # logit of 1 %: most cells see nobody


@dataclass(frozen=True)
class Shape:
    """Widths of the network. body: share of MobileNet's channels; others: channels."""

    body: float = 0.5
    pyramid: int = 64
    fine: int = 32
    head: int = 48
    frozen: int = 2  # separable blocks at the entrance that keep their ImageNet weights


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
        if self.stride == 2:
            picture, padding = functional.pad(picture, (0, 1, 0, 1)), 0
        else:
            padding = self.kernel // 2
        made = functional.conv2d(picture, self.folded(), self.bias, self.stride, padding, groups=self.groups)
        return made if self.linear else functional.relu6(made, inplace=True)


class Separable(nn.Module):
    """A depthwise 3x3 layer and a pointwise one."""

    def __init__(self, source: int, out: int, stride: int = 1):
        super().__init__()
        self.depth = Layer(source, source, 3, stride, depthwise=True)
        self.point = Layer(source, out)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """[b, in, h, w] to [b, out, h / stride, w / stride]."""
        return self.point(self.depth(picture))


class Head(nn.Module):
    """Peak logits [b, 1, h, w] and distances to the four edges [b, 4, h, w] in cells, within 0..reach."""

    def __init__(self, source: int, width: int, reach: float):
        super().__init__()
        self.first = Separable(source, width)
        self.second = Separable(width, width)
        self.peak = Layer(width, 1, linear=True)
        self.edge = Layer(width, 4)
        self.scale = reach / 6
        with torch.no_grad():
            self.peak.weight.mul_(0.1)
            self.peak.bias.fill_(PEAK_PRIOR)
            self.edge.bias.fill_(0.5)
        self.peak.gain.mul_(0.5)
        self.edge.gain.mul_(0.5)

    def forward(self, feature: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """One feature map to (peak logits, distances)."""
        feature = self.second(self.first(feature))
        return self.peak(feature), self.edge(feature).float() * self.scale


class Detector(nn.Module):
    """RGB in -1..1, [b, 3, s, s], s a multiple of 32, to one (peak logits, distances) for each of STRIDES."""

    def __init__(self, shape: Shape = Shape()):
        super().__init__()
        self.shape = shape
        width = int(32 * shape.body)
        self.stem = Layer(3, width, 3, 2)
        self.blocks = nn.ModuleList()
        widths = []
        for channels, stride in BLOCKS:
            if stride == 2:
                widths.append(width)
            self.blocks.append(Separable(width, int(channels * shape.body), stride))
            width = int(channels * shape.body)
        middle = shape.pyramid
        self.from32 = Layer(width, middle)
        self.from16, self.from8, self.from4 = Layer(widths[3], middle), Layer(widths[2], middle), Layer(widths[1], shape.fine)
        self.mix16, self.mix8 = Separable(middle, middle), Separable(middle, middle)
        self.reduce = Layer(middle, shape.fine)
        self.fine = Head(shape.fine, shape.head, REACH[0])
        self.coarse = Head(middle, middle, REACH[1])

    def features(self, picture: torch.Tensor) -> list[torch.Tensor]:
        """The body's maps at strides 2, 4, 8, 16 and 32."""
        maps = []
        learns = torch.is_grad_enabled()
        with torch.set_grad_enabled(learns and self.shape.frozen == 0):
            picture = self.stem(picture)
        for number, (block, (_, stride)) in enumerate(zip(self.blocks, BLOCKS, strict=True)):
            if stride == 2:
                maps.append(picture)
            with torch.set_grad_enabled(learns and number >= self.shape.frozen):
                picture = block(picture)
        return [*maps, picture]

    def forward(self, picture: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Pictures to the heads' outputs, finest first."""
        _, at4, at8, at16, at32 = self.features(picture)
        mixed = self.mix16(self.from16(at16) + double(self.from32(at32)))
        mixed = self.mix8(self.from8(at8) + double(mixed))
        fine = self.from4(at4) + double(self.reduce(mixed))
        return [self.fine(fine), self.coarse(mixed)]

    def fit_gains(self, picture: torch.Tensor) -> None:
        """Scales each new layer's gain so that its sums have unit spread on one batch (data-dependent start)."""
        new = [self.from32, self.from16, self.from8, self.from4, self.mix16, self.mix8, self.reduce, self.fine, self.coarse]
        layers = [layer for part in new for layer in part.modules() if isinstance(layer, Layer) and layer.weight.shape[0] > 4]
        with torch.no_grad():
            for layer in layers:
                seen: list[torch.Tensor] = []
                hook = layer.register_forward_pre_hook(lambda _, inputs, seen=seen: seen.append(inputs[0]))
                self(picture)
                hook.remove()
                sums = functional.conv2d(seen[0], layer.folded(), None, layer.stride, layer.kernel // 2, groups=layer.groups)
                spread = sums.std(dim=(0, 2, 3)).clamp(min=1e-3)
                layer.gain.div_(spread)
                layer.bias.copy_(0.5 - sums.mean(dim=(0, 2, 3)) / spread)


def double(feature: torch.Tensor) -> torch.Tensor:
    """Nearest-neighbour enlargement by two."""
    return functional.interpolate(feature, scale_factor=2, mode="nearest")
