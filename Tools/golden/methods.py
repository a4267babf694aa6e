"""Ten steps of each continual-learning method on two toy experiences."""

import copy

import torch
from torch.nn.functional import cross_entropy, log_softmax

from golden import inputs
from golden.bert import deviation
from golden.learner import CLIP, EPSILON, LORA_SCALE, RATE, Learner, Method, run, shown
from golden.manifest import Golden
from golden.masks import Migu, MiguAccumulated, mask_rows

COMMON = {"optimizer": "AdamW", "lr": RATE, "betas": [0.9, 0.999], "eps": EPSILON, "weight_decay": 0.0}
COMMON |= {"clip": CLIP, "steps_per_experience": inputs.STEPS}
LORA = {"rank": inputs.RANK, "alpha": LORA_SCALE * inputs.RANK, "modules": ["query", "value"]}


class SequentialLoRA(Method):
    """One LoRA, trained through both experiences."""

    def begin(self, experience: int) -> None:
        if experience == 0:
            for parameter in self.learner.backbone.values():
                parameter.requires_grad_(False)
            self.learner.add_adapter(0)


class IncrementalLoRA(SequentialLoRA):
    """A new LoRA for each experience, added to the frozen earlier one."""

    def begin(self, experience: int) -> None:
        super().begin(experience)
        if experience == 1:
            for parameter in self.learner.adapters.values():
                parameter.requires_grad_(False)
            self.learner.add_adapter(1)


class OrthogonalLoRA(IncrementalLoRA):
    """Incremental LoRA with lambda1 * sum |A_previous A_new^T|."""

    strength = 0.5

    def penalty(self, experience: int, index: int) -> torch.Tensor | None:
        if experience == 0:
            return None
        factors = self.learner.adapters
        overlaps = [factors[f"{m}.lora.0.a"] @ factors[f"{m}.lora.1.a"].T for m in inputs.WRAPPED]
        return self.strength * sum(overlap.abs().sum() for overlap in overlaps)


class MiguLoRA(SequentialLoRA):
    """Sequential LoRA: A masked by its own outputs, B by the output of the wrapped layer, base and bias included."""

    def begin(self, experience: int) -> None:
        super().begin(experience)
        if experience == 0:
            return
        self.sums: dict[str, torch.Tensor] = {}
        for module in inputs.WRAPPED:
            self.learner.encoder.get_submodule(module).register_forward_hook(self.collector(module))

    def collector(self, module: str):
        def collect(_, arguments: tuple, output: torch.Tensor) -> None:
            a = self.learner.adapters[f"{module}.lora.0.a"]
            self.sums[f"{module}.lora.0.a"] = (arguments[0] @ a.T).detach().abs().sum((0, 1))
            self.sums[f"{module}.lora.0.b"] = output.detach().abs().sum((0, 1))

        return collect

    def mask(self, experience: int, step: int) -> None:
        if experience == 1:
            self.extra |= mask_rows(self.sums, self.learner.adapters, show=step == 0)


class Anchored(Method):
    """strength / 2 * sum F (theta - anchor)^2 over the backbone; here F = 1."""

    strength = 1.0

    def end(self, experience: int) -> None:
        if experience == 0:
            self.anchor = {name: value.detach().clone() for name, value in self.learner.backbone.items()}
            self.importance = self.measure(experience)

    def measure(self, experience: int) -> dict[str, torch.Tensor]:
        return {name: torch.ones_like(value) for name, value in self.learner.backbone.items()}

    def penalty(self, experience: int, index: int) -> torch.Tensor | None:
        if experience == 0:
            return None
        moved = [
            (self.importance[name] * (value - self.anchor[name]) ** 2).sum()
            for name, value in self.learner.backbone.items()
        ]
        return self.strength / 2 * sum(moved)


class EWC(Anchored):
    """F = mean over the samples of the squared gradient of log p(true label), one sample at a time."""

    strength = 100.0

    def measure(self, experience: int) -> dict[str, torch.Tensor]:
        samples = self.learner.samples(experience)
        count = len(samples["labels"])
        fisher = {name: torch.zeros_like(value) for name, value in self.learner.backbone.items()}
        for index in range(count):
            one = {key: value[index : index + 1] for key, value in samples.items()}
            gradients = torch.autograd.grad(self.learner.loss(one, experience), list(self.learner.backbone.values()))
            for name, gradient in zip(fisher, gradients, strict=True):
                fisher[name] += gradient**2 / count
        return fisher

    def end(self, experience: int) -> None:
        super().end(experience)
        if experience == 0:
            names = [name for name in shown(self.learner) if name in self.anchor]
            self.extra |= {f"fisher.{name}": self.importance[name] for name in names}


class OnlineEWC(EWC):
    """One running Fisher, decay * old + new; the stored one is that after experience 1."""

    decay = 0.95

    def end(self, experience: int) -> None:
        super().end(experience)
        if experience == 1:
            fresh = self.measure(experience)
            for key in self.extra:
                name = key.removeprefix("fisher.")
                self.extra[key] = self.decay * self.importance[name] + fresh[name]


class LwF(Method):
    """alpha * KL(old || new) of the old head on new samples, at temperature T, mean over the batch."""

    alpha, temperature = 1.0, 2.0

    def end(self, experience: int) -> None:
        if experience == 0:
            self.teacher = Learner(self.learner.dtype)
            self.teacher.encoder.load_state_dict(self.learner.encoder.state_dict())
            self.teacher.heads = copy.deepcopy(self.learner.heads)
        else:
            self.extra |= self.example()

    def penalty(self, experience: int, index: int) -> torch.Tensor | None:
        if experience == 0:
            return None
        batch = self.learner.batch(experience, index)
        with torch.no_grad():
            old = self.teacher.classify(self.teacher.features(batch), 0)
        return self.alpha * self.divergence(old, self.learner.classify(self.learner.features(batch), 0))

    def divergence(self, old: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
        old, new = log_softmax(old / self.temperature, -1), log_softmax(new / self.temperature, -1)
        return (old.exp() * (old - new)).sum(-1).mean()

    def example(self) -> dict[str, torch.Tensor]:
        """Logits far apart: in ten steps old and new stay so near that KL(old || new) is almost KL(new || old)."""
        generator = torch.Generator().manual_seed(inputs.SEED + 1)
        old, new = (torch.randn((4, 3), generator=generator).to(self.learner.dtype) for _ in range(2))
        return {"example.old": old, "example.new": new, "example.divergence": self.divergence(old, new)}


class ExperienceReplay(Method):
    """One mean over the current four samples and four given old ones, each through the head of its task."""

    def loss(self, experience: int, step: int, index: int) -> torch.Tensor:
        current = self.learner.batch(experience, index)
        if experience == 0:
            return self.learner.loss(current, 0)
        chosen = self.learner.data["replay"][step]
        both = {key: torch.cat([current[key], value[chosen]]) for key, value in self.learner.samples(0).items()}
        features = self.learner.features(both)
        size = len(current["labels"])
        logits = torch.cat([self.learner.classify(features[:size], 1), self.learner.classify(features[size:], 0)])
        return cross_entropy(logits, both["labels"])


class PIC(SequentialLoRA):
    """An isolated LoRA for each experience from one common start, then merged in product and in factor space."""

    strength = 0.5

    def begin(self, experience: int) -> None:
        super().begin(experience)
        if experience == 1:
            self.first = self.learner.adapters
            self.learner.adapters = {}
            self.learner.add_adapter(1, start=0)

    def end(self, experience: int) -> None:
        if experience == 1:
            self.learner.adapters = self.first | self.learner.adapters
            for module in inputs.WRAPPED:
                self.merge(module)

    def merge(self, module: str) -> None:
        pairs = [[self.learner.adapters[f"{module}.lora.{k}.{part}"].detach() for part in "ab"] for k in (0, 1)]
        start = self.learner.data[f"{module}.lora.0.a"].to(self.learner.dtype)
        weight = self.learner.backbone[f"{module}.weight"].detach()
        a = start + self.strength * sum(a - start for a, _ in pairs)
        b = self.strength * sum(b for _, b in pairs)
        self.extra[f"product.{module}.weight"] = weight + self.strength * sum(LORA_SCALE * b @ a for a, b in pairs)
        self.extra[f"factor.{module}.weight"] = weight + LORA_SCALE * b @ a
        self.extra |= {f"factor.{module}.lora.a": a, f"factor.{module}.lora.b": b}


ANCHOR = {"parameters": "backbone, heads excluded"}
METHODS: dict[str, tuple[type[Method], dict]] = {
    "finetune": (Method, {}),
    "migu": (Migu, {"threshold": Migu.threshold}),
    "migu-accumulated": (MiguAccumulated, {"threshold": Migu.threshold, "micro_batches": 2}),
    "lora": (SequentialLoRA, LORA),
    "inc-lora": (IncrementalLoRA, LORA),
    "o-lora": (OrthogonalLoRA, LORA | {"lambda1": OrthogonalLoRA.strength, "lambda2": 0.0}),
    "lora-migu": (MiguLoRA, LORA | {"threshold": Migu.threshold}),
    "l2": (Anchored, ANCHOR | {"strength": Anchored.strength}),
    "ewc": (EWC, ANCHOR | {"strength": EWC.strength, "fisher": "perSample"}),
    "online-ewc": (OnlineEWC, ANCHOR | {"strength": EWC.strength, "fisher": "perSample", "decay": OnlineEWC.decay}),
    "lwf": (LwF, {"alpha": LwF.alpha, "temperature": LwF.temperature}),
    "er": (ExperienceReplay, {"replayed": inputs.SIZE}),
    "pic": (PIC, LORA | {"strength": PIC.strength, "start": "independent"}),
}


def goldens() -> list[Golden]:
    made = inputs.goldens()
    for name, (make, settings) in METHODS.items():
        single, double = run(make, torch.float32), run(make, torch.float64)
        prefixes = sorted({key.split(".")[0] for key in single})
        rounding = {prefix: deviation(single, double, prefix) for prefix in prefixes}
        made.append(Golden(f"methods/{name}.safetensors", make, single, None, COMMON | settings, rounding))
    return made
