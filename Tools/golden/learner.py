"""The model that all method traces train, and the loop that trains it, in plain torch."""

from collections.abc import Callable
from functools import partial

import torch
from torch.nn.functional import cross_entropy

from golden import bert, inputs
from golden.minilm import mean_pooled

RATE, CLIP, LORA_SCALE = 1e-3, 1.0, 8 / inputs.RANK
# Some gradients are zero but for rounding (key biases always, the old head in LwF's first step). With the usual 1e-8
# Adam would turn them into steps of full size, other ones on each machine, which MIGU's statistics then see.
EPSILON = 1e-5
FIELDS = ("input_ids", "token_type_ids", "attention_mask")


class Learner:
    """The tiny encoder with one head per task and any number of LoRA pairs on query and value."""

    def __init__(self, dtype: torch.dtype):
        self.dtype = dtype
        self.data = inputs.inputs()
        self.encoder = bert.model(dtype)
        self.backbone = dict(self.encoder.named_parameters())
        self.heads: dict[str, torch.nn.Parameter] = {}
        self.adapters: dict[str, torch.nn.Parameter] = {}
        # What a method weighs the pair `index` of a module by, from the module's input.
        self.weigh: Callable[[str, int, torch.Tensor], torch.Tensor] | None = None
        for module in inputs.WRAPPED:
            self.encoder.get_submodule(module).register_forward_hook(partial(self.add_lora, module))

    def add_lora(self, module: str, _, arguments: tuple, output: torch.Tensor) -> torch.Tensor:
        for name, a in self.adapters.items():
            if name.startswith(f"{module}.lora.") and name.endswith(".a"):
                b = self.adapters[name[:-1] + "b"]
                update = LORA_SCALE * (arguments[0] @ a.T @ b.T)
                if self.weigh:
                    update = self.weigh(module, int(name.split(".")[-2]), arguments[0]) * update
                output = output + update
        return output

    def add_head(self, task: int) -> None:
        for part in ("weight", "bias"):
            name = f"heads.{task}.{part}"
            self.heads[name] = torch.nn.Parameter(self.data[name].to(self.dtype))

    def add_adapter(self, index: int, start: int | None = None) -> None:
        """LoRA pair `index` on every wrapped module: A as given (that of `start`, if another), B zero."""
        for module in inputs.WRAPPED:
            a = self.data[f"{module}.lora.{index if start is None else start}.a"].to(self.dtype)
            self.adapters[f"{module}.lora.{index}.a"] = torch.nn.Parameter(a.clone())
            self.adapters[f"{module}.lora.{index}.b"] = torch.nn.Parameter(torch.zeros_like(a.T))

    def parameters(self) -> dict[str, torch.nn.Parameter]:
        return self.backbone | self.adapters | self.heads

    def trainable(self) -> dict[str, torch.nn.Parameter]:
        return {name: value for name, value in self.parameters().items() if value.requires_grad}

    def batch(self, experience: int, index: int) -> dict[str, torch.Tensor]:
        return {key: self.data[f"experience.{experience}.{key}"][index] for key in (*FIELDS, "labels")}

    def samples(self, experience: int) -> dict[str, torch.Tensor]:
        """The 16 samples of an experience as one batch."""
        return {key: self.data[f"experience.{experience}.{key}"].flatten(0, 1) for key in (*FIELDS, "labels")}

    def features(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        hidden = self.encoder(**{key: batch[key] for key in FIELDS}).last_hidden_state
        return mean_pooled(hidden, batch["attention_mask"])

    def classify(self, features: torch.Tensor, task: int) -> torch.Tensor:
        return features @ self.heads[f"heads.{task}.weight"].T + self.heads[f"heads.{task}.bias"]

    def loss(self, batch: dict[str, torch.Tensor], task: int) -> torch.Tensor:
        return cross_entropy(self.classify(self.features(batch), task), batch["labels"])


class Method:
    """Plain fine-tuning of all weights; methods override the hooks."""

    micro_batches = 1

    def __init__(self, learner: Learner):
        self.learner = learner
        self.extra: dict[str, torch.Tensor] = {}

    def begin(self, experience: int) -> None:
        """Before the optimizer of an experience is made."""

    def loss(self, experience: int, step: int, index: int) -> torch.Tensor:
        return self.learner.loss(self.learner.batch(experience, index), experience)

    def penalty(self, experience: int, index: int) -> torch.Tensor | None:
        """What is added to the task loss."""

    def mask(self, experience: int, step: int) -> None:
        """After the backward passes of a step, before the clip."""

    def end(self, experience: int) -> None:
        """After the last step of an experience."""


def run(make: Callable[[Learner], Method], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Five steps on each of two experiences; returns losses, final weights and what the method keeps to show."""
    learner = Learner(dtype)
    method = make(learner)
    losses, task_losses = [], []
    for experience in (0, 1):
        learner.add_head(experience)
        method.begin(experience)
        trainable = learner.trainable()
        optimizer = torch.optim.AdamW(trainable.values(), lr=RATE, eps=EPSILON, weight_decay=0.0)
        for step in range(inputs.STEPS):
            optimizer.zero_grad()
            total, task = step_gradient(method, experience, step)
            method.mask(experience, step)
            torch.nn.utils.clip_grad_norm_(trainable.values(), CLIP)
            optimizer.step()
            losses.append(total)
            task_losses.append(task)
        method.end(experience)
    tensors = {"losses": torch.stack(losses), "losses.task": torch.stack(task_losses)}
    return tensors | method.extra | {f"final.{key}": value for key, value in shown(learner).items()}


def step_gradient(method: Method, experience: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Adds up the gradients of a step's micro-batches; returns the mean total loss and the mean task loss."""
    total = task = torch.zeros((), dtype=method.learner.dtype)
    for micro in range(method.micro_batches):
        index = (step * method.micro_batches + micro) % inputs.BATCHES
        task_loss = method.loss(experience, step, index) / method.micro_batches
        penalty = method.penalty(experience, index)
        loss = task_loss if penalty is None else task_loss + penalty / method.micro_batches
        loss.backward()
        total, task = total + loss.detach(), task + task_loss.detach()
    return total, task


def shown(learner: Learner) -> dict[str, torch.Tensor]:
    """The weights a golden holds: adapters and heads; of a trained backbone query, value, intermediate, first norm."""
    parts = ("query.", "value.", "intermediate.", "embeddings.LayerNorm.")
    trained = {name: value for name, value in learner.backbone.items() if value.requires_grad}
    kept = {name: value for name, value in trained.items() if any(part in name for part in parts)}
    return {name: value.detach().clone() for name, value in (kept | learner.adapters | learner.heads).items()}
