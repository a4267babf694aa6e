"""Ten steps of the methods that train several LoRA pairs, on the experiences of `methods.py`.

`start.NAME` in their goldens are the initial values of what `inputs.py` does not give.
"""

import torch
from torch.nn.functional import cosine_similarity

from golden import bert, inputs
from golden.bert import CONFIG, deviation
from golden.learner import FIELDS, Learner, run
from golden.manifest import Golden
from golden.methods import COMMON, LORA, IncrementalLoRA, SequentialLoRA
from golden.minilm import mean_pooled

SEED, EXPERTS, QUERY_WIDTH = 20240625, 2, 10


class SparseLoRA(IncrementalLoRA):
    """Incremental LoRA with lambda * sum |B_new A_new|, elementwise."""

    strength = 0.05

    def penalty(self, experience: int, index: int) -> torch.Tensor:
        pairs = self.learner.adapters
        updates = [pairs[f"{m}.lora.{experience}.b"] @ pairs[f"{m}.lora.{experience}.a"] for m in inputs.WRAPPED]
        return self.strength * sum(update.abs().sum() for update in updates)


class TreeLoRA(IncrementalLoRA):
    """Incremental LoRA whose gradient of A is pulled along the mean gradient of A in the first experience.

    Of one earlier experience no choice is left: the tree and the bandit have no say in this trace.
    """

    strength = 0.5

    def begin(self, experience: int) -> None:
        super().begin(experience)
        if experience == 1:
            self.mean = self.sums
        self.sums = {}

    def mask(self, experience: int, step: int) -> None:
        for module in inputs.WRAPPED:
            gradient = self.learner.adapters[f"{module}.lora.{experience}.a"].grad
            self.sums[module] = self.sums.get(module, 0) + gradient.clone() / inputs.STEPS
            if experience == 1:
                along = self.mean[module] / self.mean[module].norm()
                gradient += self.strength * step / inputs.STEPS * gradient.norm() * along


class MixtureLoRA(SequentialLoRA):
    """Two pairs on each module through both experiences, mixed by softmax(router x) of each token."""

    def begin(self, experience: int) -> None:
        if experience == 1:
            return
        super().begin(experience)
        self.learner.add_adapter(1)
        generator = torch.Generator().manual_seed(SEED)
        for module in inputs.WRAPPED:
            router = 0.5 * torch.randn((EXPERTS, CONFIG["hidden_size"]), generator=generator)
            name = f"{module}.router.weight"
            self.learner.adapters[name] = torch.nn.Parameter(router.to(self.learner.dtype, copy=True))
            self.extra[f"start.{name}"] = router
            for index in range(EXPERTS):
                self.extra[f"start.{module}.lora.{index}.a"] = self.learner.data[f"{module}.lora.{index}.a"]
        self.learner.weigh = self.gate

    def gate(self, module: str, index: int, x: torch.Tensor) -> torch.Tensor:
        scores = torch.einsum("...i,ei->...e", x, self.learner.adapters[f"{module}.router.weight"])
        return (scores.exp() / scores.exp().sum(-1, keepdim=True))[..., index : index + 1]


class AttentiveLoRA(IncrementalLoRA):
    """Incremental LoRA whose pairs are weighed for each sample by an attention of the texts to the experiences.

    The reflection sees all 16 samples of the first experience, to which its mean attention was 1.
    """

    reflection = 0.1

    def begin(self, experience: int) -> None:
        super().begin(experience)
        width = CONFIG["hidden_size"]
        generator = torch.Generator().manual_seed(SEED + 1 + experience)
        fresh = {f"sapt.key.{experience}": 2 * torch.rand((width, 1), generator=generator) - 1}
        if experience == 0:
            fresh["sapt.down.weight"] = 0.3 * torch.randn((QUERY_WIDTH, width), generator=generator)
            fresh["sapt.up.weight"] = 0.3 * torch.randn((width, QUERY_WIDTH), generator=generator)
            fresh["sapt.norm.weight"] = torch.ones(width)
            fresh["sapt.norm.bias"] = torch.zeros(width)
        else:
            for name in ("down.weight", "up.weight", "norm.weight", "norm.bias"):
                self.learner.adapters[f"sapt.{name}"].requires_grad_(True)
        for name, value in fresh.items():
            self.extra[f"start.{name}"] = value
            self.learner.adapters[name] = torch.nn.Parameter(value.to(self.learner.dtype, copy=True))
        for module in inputs.WRAPPED:
            name = f"{module}.lora.{experience}.a"
            self.extra[f"start.{name}"] = self.learner.data[name]
        self.learner.weigh = lambda module, index, x: self.weights[:, index].reshape(-1, 1, 1)

    def loss(self, experience: int, step: int, index: int) -> torch.Tensor:
        self.weights = self.scores(self.learner.batch(experience, index), experience).softmax(-1)
        if experience == 1 and step == 0:
            self.extra["weights"] = self.weights.detach()
        return super().loss(experience, step, index)

    def scores(self, batch: dict[str, torch.Tensor], newest: int) -> torch.Tensor:
        part = self.learner.adapters
        table = self.learner.backbone["embeddings.word_embeddings.weight"]
        rows = []
        for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True):
            largest = table[ids[: int(mask.sum())]].amax(0)
            low = part["sapt.down.weight"] @ largest
            high = part["sapt.up.weight"] @ (low * torch.sigmoid(low))
            centred = high - high.mean()
            query = centred / (centred.pow(2).mean() + 1e-5).sqrt() * part["sapt.norm.weight"] + part["sapt.norm.bias"]
            rows.append(torch.cat([part[f"sapt.key.{t}"].T @ query for t in range(newest + 1)]) / len(query) ** 0.5)
        return torch.stack(rows)

    def penalty(self, experience: int, index: int) -> torch.Tensor | None:
        if experience == 0:
            return None
        attention = self.scores(self.learner.samples(0), 1).softmax(-1)
        return -self.reflection * attention[:, 0].log().mean()


class IsolatedLoRA(IncrementalLoRA):
    """Incremental LoRA whose earlier pair takes no part in the second experience."""

    def begin(self, experience: int) -> None:
        super().begin(experience)
        self.learner.weigh = lambda module, index, x: float(index == experience)


class ComposedLoRA(IncrementalLoRA):
    """Incremental LoRA whose pairs are weighed for each sample by its likeness to a vector of each experience."""

    scale, strength = 8.0, 0.5

    def begin(self, experience: int) -> None:
        super().begin(experience)
        if experience == 0:
            self.frozen = bert.model(self.learner.dtype)
        generator = torch.Generator().manual_seed(SEED + 3 + experience)
        name, vector = f"mocl.vector.{experience}", torch.rand(CONFIG["hidden_size"], generator=generator)
        self.extra[f"start.{name}"] = vector
        self.learner.adapters[name] = torch.nn.Parameter(vector.to(self.learner.dtype, copy=True))
        self.learner.weigh = lambda module, index, x: self.weights[:, index].reshape(-1, 1, 1)

    def loss(self, experience: int, step: int, index: int) -> torch.Tensor:
        batch = self.learner.batch(experience, index)
        with torch.no_grad():
            hidden = self.frozen(**{key: batch[key] for key in FIELDS}).last_hidden_state
        features = mean_pooled(hidden, batch["attention_mask"])
        vectors = [self.learner.adapters[f"mocl.vector.{t}"] for t in range(experience + 1)]
        self.cosines = torch.stack([cosine_similarity(features, vector, dim=-1) for vector in vectors], 1)
        self.weights = (self.scale * self.cosines).softmax(-1)
        return super().loss(experience, step, index)

    def penalty(self, experience: int, index: int) -> torch.Tensor:
        return self.strength * (1 - self.cosines[:, -1]).mean()


METHODS = {
    "n-lora": (SparseLoRA, LORA | {"lambda": SparseLoRA.strength, "product": "update"}),
    "tree-lora": (TreeLoRA, LORA | {"strength": TreeLoRA.strength, "signature": "gradients"}),
    "moe-lora": (MixtureLoRA, LORA | {"experts": EXPERTS}),
    "sapt-lora": (AttentiveLoRA, LORA | {"reflection": AttentiveLoRA.reflection, "query_width": QUERY_WIDTH}),
    "epi": (IsolatedLoRA, LORA),
    "mocl": (ComposedLoRA, LORA | {"scale": ComposedLoRA.scale, "strength": ComposedLoRA.strength}),
}


def goldens() -> list[Golden]:
    made = []
    for name, (make, settings) in METHODS.items():
        single, double = run(make, torch.float32), run(make, torch.float64)
        prefixes = sorted({key.split(".")[0] for key in single})
        rounding = {prefix: deviation(single, double, prefix) for prefix in prefixes}
        made.append(Golden(f"methods/{name}.safetensors", make, single, SEED, COMMON | settings, rounding))
    return made
