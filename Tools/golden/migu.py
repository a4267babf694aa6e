"""MIGU's masks on the three architectures, by the rule of wenyudu/MIGU at 3f3b9f0: torch.quantile over sums of |output|."""

import torch

from golden import llama, roberta, t5
from golden.manifest import Golden

THRESHOLD = 0.7
# A row nearer to the threshold than this (relative) could fall on the other side by rounding.
LEAST_MARGIN = 1e-5


def sums(model: torch.nn.Module, **inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    """Σ|output| of every linear layer over all positions, padding too, by the name of its weight."""
    found: dict[str, torch.Tensor] = {}
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            name = names[id(module.weight)]
            module.register_forward_hook(
                lambda _, __, output, name=name: found.__setitem__(name, output.detach().abs().sum((0, 1)))
            )
    with torch.no_grad():
        model(**inputs)
    return found


def masks(found: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    made = {}
    for name, values in found.items():
        threshold = torch.quantile(values, THRESHOLD)
        margin = ((values - threshold).abs() / threshold).min()
        assert margin > LEAST_MARGIN, f"{name}: a row is within {margin:.1e} of the threshold. Take another seed."
        made[name] = (values >= threshold).long()
    return made


def encoder_decoder() -> dict[str, torch.Tensor]:
    """A padded batch; the tied head masks the word embeddings."""
    inputs = t5.batch()
    read = {key: inputs[key] for key in ("input_ids", "attention_mask", "decoder_input_ids")}
    return masks(sums(t5.model("t5-tied"), use_cache=False, **read))


def decoder() -> dict[str, torch.Tensor]:
    """Three rows of nine tokens, each of which predicts the next."""
    generator = torch.Generator().manual_seed(llama.SEED + 2)
    ids = torch.randint(3, llama.VOCABULARY, (3, 10), generator=generator)
    found = masks(sums(llama.model("llama-grouped"), input_ids=ids[:, :-1], use_cache=False))
    return {"ids": ids} | found


def encoder() -> dict[str, torch.Tensor]:
    """A row without padding. The head for hidden tokens is left out: Jay runs it at their places only."""
    ids = roberta.batch("roberta-tiny")["input_ids"][:1]
    found = masks(sums(roberta.model("roberta-tiny"), input_ids=ids, attention_mask=torch.ones_like(ids)))
    return {name: mask for name, mask in found.items() if name.startswith("roberta.encoder")}


def goldens() -> list[Golden]:
    cases = {"t5-tied": encoder_decoder, "llama-grouped": decoder, "roberta-tiny": encoder}
    settings = {"threshold": THRESHOLD}
    return [Golden(f"{name}/migu.safetensors", make, make(), settings=settings) for name, make in cases.items()]
