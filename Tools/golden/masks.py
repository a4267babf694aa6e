"""MIGU: gradients are kept only on the rows of a linear layer whose summed |output| is largest."""

import math

import torch

from golden.learner import Learner, Method

THRESHOLD = 0.7
# A row nearer to the threshold than this (relative) could fall on the other side by rounding.
LEAST_MARGIN = 1e-4


def quantile(values: torch.Tensor, share: float) -> torch.Tensor:
    """The share-quantile with linear interpolation between the two sorted values around it."""
    ordered = values.sort().values
    position = share * (len(values) - 1)
    low, high = math.floor(position), math.ceil(position)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])


def mask_rows(
    sums: dict[str, torch.Tensor], weights: dict[str, torch.nn.Parameter], show: bool
) -> dict[str, torch.Tensor]:
    """Zeroes the gradient rows below the threshold; returns `mask.*` and `statistic.*` where they are shown."""
    shown = {}
    for name, values in sums.items():
        threshold = quantile(values, THRESHOLD)
        margin = ((values - threshold).abs() / threshold).min()
        assert margin > LEAST_MARGIN, f"{name}: a row is within {margin:.1e} of the threshold. Take another seed."
        kept = (values >= threshold).to(values.dtype)
        weights[name].grad *= kept.unsqueeze(1)
        if show:
            shown |= {f"mask.{name}": kept, f"statistic.{name}": values}
    return shown


class Migu(Method):
    """Full fine-tuning; from the second experience on, all linear layers of the encoder are masked, heads are not."""

    threshold = THRESHOLD

    def __init__(self, learner: Learner):
        super().__init__(learner)
        self.sums: dict[str, torch.Tensor] = {}

    def begin(self, experience: int) -> None:
        if experience == 1:
            for name, module in self.learner.encoder.named_modules():
                if isinstance(module, torch.nn.Linear):
                    module.register_forward_hook(self.collector(f"{name}.weight"))

    def collector(self, name: str):
        def collect(_, arguments: tuple, output: torch.Tensor) -> None:
            self.sums[name] = self.sums.get(name, 0) + output.detach().abs().sum((0, 1))

        return collect

    def mask(self, experience: int, step: int) -> None:
        if experience == 1:
            self.extra |= mask_rows(self.sums, self.learner.backbone, show=step == 0)
            self.sums = {}


class MiguAccumulated(Migu):
    """Two micro-batches in a step: their statistics add up before the one mask."""

    micro_batches = 2
