"""Tiny RoBERTa and BERT with their heads for hidden tokens: model directories, hidden states, scores, gradients."""

import json

import torch
from transformers import AutoConfig, AutoModelForMaskedLM

from golden.bert import deviation
from golden.manifest import Golden

SEED = 20240703
VOCABULARY, LENGTH, PADDING = 96, 12, 1
COMMON = {
    "attention_probs_dropout_prob": 0.0,
    "hidden_dropout_prob": 0.0,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "pad_token_id": PADDING,
    "vocab_size": VOCABULARY,
}
CASES = {
    "roberta-tiny": {
        "model_type": "roberta",
        "layer_norm_eps": 1e-5,
        "max_position_embeddings": LENGTH + PADDING + 1,
        "type_vocab_size": 1,
    },
    "roberta-bert": {"model_type": "bert", "hidden_act": "relu", "max_position_embeddings": 16, "type_vocab_size": 2},
}
KEPT = ("layer.0.", "embeddings", "lm_head", "cls.")


def model(name: str, dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    config = AutoConfig.for_model(**(COMMON | CASES[name]))
    config._attn_implementation = "eager"
    encoder = AutoModelForMaskedLM.from_config(config)
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for key, parameter in encoder.named_parameters():
            center = 1.0 if "norm" in key.lower() and key.endswith("weight") else 0.0
            scale = 0.2 if parameter.dim() == 2 else 0.1
            parameter.copy_(center + scale * torch.randn(parameter.shape, generator=generator))
    return encoder.to(dtype).eval()


def batch(name: str) -> dict[str, torch.Tensor]:
    """Three pairs of texts of 12, 8 and 5 tokens, padded on the right; labels on every third token."""
    generator = torch.Generator().manual_seed(SEED + 1)
    ids = torch.randint(5, VOCABULARY, (3, LENGTH), generator=generator)
    lengths = torch.tensor([[LENGTH], [8], [5]])
    position = torch.arange(LENGTH).expand(3, -1)
    mask = position < lengths
    answer = torch.randint(5, VOCABULARY, (3, LENGTH), generator=generator)
    kinds = ((position >= lengths // 2) & mask).long()
    return {
        "input_ids": torch.where(mask, ids, PADDING),
        "token_type_ids": kinds,
        "attention_mask": mask.long(),
        "labels": torch.where(mask & (position % 3 == 1), answer, -100),
    }


def trace(name: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    encoder, inputs = model(name, dtype), batch(name)
    read = {key: inputs[key] for key in ("input_ids", "attention_mask")}
    if encoder.config.type_vocab_size > 1:
        read["token_type_ids"] = inputs["token_type_ids"]
    output = encoder(**read, output_hidden_states=True)
    loss = torch.nn.functional.cross_entropy(output.logits.flatten(0, 1), inputs["labels"].flatten())
    loss.backward()
    tensors = inputs | {
        "hidden": output.hidden_states[-1].detach(),
        "logits": output.logits.detach(),
        "loss": loss.detach(),
    }
    for key, parameter in encoder.named_parameters():
        if any(part in key for part in KEPT):
            tensors[f"gradient.{key}"] = parameter.grad
    return tensors


def padded_on_the_left(name: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """The same texts behind their padding, and what the encoder makes of them."""
    encoder, inputs = model(name, dtype), batch(name)
    order = torch.argsort(inputs["attention_mask"], dim=1, stable=True)
    read = {key: inputs[key].gather(1, order) for key in ("input_ids", "token_type_ids", "attention_mask")}
    given = read if encoder.config.type_vocab_size > 1 else {k: v for k, v in read.items() if k != "token_type_ids"}
    return read | {"hidden": encoder(**given, output_hidden_states=True).hidden_states[-1].detach()}


def goldens() -> list[Golden]:
    made = []
    for name in CASES:
        weights = {key: value.detach() for key, value in model(name).named_parameters()}
        single, double = trace(name, torch.float32), trace(name, torch.float64)
        rounding = {prefix: deviation(single, double, prefix) for prefix in ("loss", "logits", "gradient")}
        made += [
            Golden(f"{name}/config.json", goldens, json.dumps(COMMON | CASES[name], indent=2) + "\n"),
            Golden(f"{name}/model.safetensors", model, weights, SEED),
            Golden(f"{name}/outputs.safetensors", trace, single, SEED + 1, {"length": LENGTH}, rounding),
        ]
        single, double = padded_on_the_left(name, torch.float32), padded_on_the_left(name, torch.float64)
        rounding = {"hidden": deviation(single, double, "hidden")}
        made.append(
            Golden(f"{name}/left.safetensors", padded_on_the_left, single, SEED + 1, {"length": LENGTH}, rounding)
        )
    return made
