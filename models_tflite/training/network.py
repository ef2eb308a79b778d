"""The detector as a network: a body, a feature pyramid to stride 4, two centre-point heads.

Small people are found at stride 4, large ones at stride 8: a distance then fits eight bits to a quarter of a cell. Assignment of people to
heads: `targets`; the bodies: `bodies`.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from models_tflite.training import bodies
from models_tflite.training.layers import Layer, Separable

STRIDES = (4, 8)
# The farthest edge a head can state, in cells: 64 and 512 pixels, one and two thirds of a level in eight bits.
REACH = (16.0, 64.0)
PEAK_PRIOR = -4.6  # logit of 1 %: most cells see nobody


@dataclass(frozen=True)
class Shape:
    """The network's measures. body: a name of `bodies`; others: channels."""

    body: str = "walker"
    pyramid: int = 64
    fine: int = 32
    head: int = 48


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
        self.frozen = 0  # blocks that keep their weights; the training loop says how many
        blocks, outs = bodies.blocks_of(shape.body)
        self.stem = Layer(3, bodies.STEM, 3, 2)
        self.blocks = nn.ModuleList(blocks)
        # The map of a stride is what goes into the next reducing block; the last one comes out of the body.
        widths = [before for before, block in zip([bodies.STEM, *outs], blocks, strict=False) if block.stride == 2][1:]
        middle = shape.pyramid
        self.deepest = Layer(outs[-1], middle)
        self.sides = nn.ModuleList([Layer(width, middle) for width in reversed(widths[1:])])
        self.mixes = nn.ModuleList([Separable(middle, middle) for _ in widths[1:]])
        self.side4, self.reduce = Layer(widths[0], shape.fine), Layer(middle, shape.fine)
        self.fine = Head(shape.fine, shape.head, REACH[0])
        self.coarse = Head(middle, middle, REACH[1])

    def features(self, picture: torch.Tensor) -> list[torch.Tensor]:
        """The body's maps at strides 4, 8 and 16."""
        maps = []
        learns = torch.is_grad_enabled()
        with torch.set_grad_enabled(learns and self.frozen == 0):
            picture = self.stem(picture)
        for number, block in enumerate(self.blocks):
            if block.stride == 2:
                maps.append(picture)
            with torch.set_grad_enabled(learns and number >= self.frozen):
                picture = block(picture)
        return [*maps[1:], picture]

    def forward(self, picture: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Pictures to the heads' outputs, finest first."""
        at4, *middle, deepest = self.features(picture)
        mixed = self.deepest(deepest)
        for side, mix, feature in zip(self.sides, self.mixes, reversed(middle), strict=True):
            mixed = mix(side(feature) + double(mixed))
        return [self.fine(self.side4(at4) + double(self.reduce(mixed))), self.coarse(mixed)]

    def fit_gains(self, picture: torch.Tensor) -> None:
        """Scales each new layer's gain so that its sums have unit spread on one batch (data-dependent start)."""
        parts = [self.deepest]
        for side, mix in zip(self.sides, self.mixes, strict=True):
            parts += [side, mix]
        parts += [self.side4, self.reduce, self.fine, self.coarse]
        layers = [layer for part in parts for layer in part.modules() if isinstance(layer, Layer) and layer.weight.shape[0] > 4]
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
