"""Tiny decoders of the Llama family with random weights: model directories, scores and gradients."""

import json

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from golden.bert import deviation
from golden.manifest import Golden

SEED = 20240701
VOCABULARY, LENGTH = 96, 10
COMMON = {
    "hidden_size": 32,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
    "vocab_size": VOCABULARY,
}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
# The keys of older and newer configurations in turn.
CASES = {
    "llama-grouped": {"model_type": "llama", "rope_theta": 500.0},
    "llama-tied": {
        "model_type": "llama",
        "tie_word_embeddings": True,
        "attention_bias": True,
        "mlp_bias": True,
        "num_key_value_heads": 4,
        "rope_scaling": {"type": "linear", "factor": 4.0},
    },
    "llama-scaled": {"model_type": "llama", "rope_parameters": LLAMA3 | {"rope_theta": 100.0}},
    "llama-window": {"model_type": "mistral", "sliding_window": 4},
    "llama-qwen2": {"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
    "llama-qwen3": {"model_type": "qwen3", "head_dim": 12, "tie_word_embeddings": True, "num_key_value_heads": 1},
}
KEPT = ("layers.0.", "embed_tokens", "lm_head", "model.norm")


def model(name: str, dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    """The decoder. Weights are larger than usual, so that attention is not flat and no gradient is tiny."""
    keys = COMMON | CASES[name]
    config = AutoConfig.for_model(**keys)
    config._attn_implementation = "eager"
    decoder = AutoModelForCausalLM.from_config(config)
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for key, parameter in decoder.named_parameters():
            center = 1.0 if "norm" in key else 0.0
            scale = 0.2 if parameter.dim() == 2 else 0.1
            parameter.copy_(center + scale * torch.randn(parameter.shape, generator=generator))
    return decoder.to(dtype).eval()


def batch() -> dict[str, torch.Tensor]:
    """Three rows padded on the right, labels on their second half. Every query sees a token in a window of 4."""
    generator = torch.Generator().manual_seed(SEED + 1)
    ids = torch.randint(3, VOCABULARY, (3, LENGTH), generator=generator)
    lengths = torch.tensor([[LENGTH], [9], [7]])
    position = torch.arange(LENGTH).expand(3, -1)
    mask = (position < lengths).long()
    labels = torch.where((position >= lengths // 2) & (position < lengths), ids, -100)
    return {"input_ids": ids * mask, "attention_mask": mask, "labels": labels}


def trace(name: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    decoder, inputs = model(name, dtype), batch()
    logits = decoder(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), inputs["labels"][:, 1:].flatten())
    loss.backward()
    tensors = inputs | {"logits": logits.detach(), "loss": loss.detach()}
    for key, parameter in decoder.named_parameters():
        if any(part in key for part in KEPT):
            tensors[f"gradient.{key}"] = parameter.grad
    return tensors


PROMPTS = [6, 3, 5]
OPTIONS = [[7, 2], [9, 11, 2], [30, 31, 32, 2]]
WRITTEN = 8


@torch.no_grad()
def answers(name: str, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    """What greedy decoding writes behind prompts of different lengths, and the mean log-likelihood of options."""
    decoder = model(name, dtype).eval()
    generator = torch.Generator().manual_seed(SEED + 2)
    prompts = [torch.randint(3, VOCABULARY, (length,), generator=generator) for length in PROMPTS]
    left, right = torch.zeros(2, len(PROMPTS), max(PROMPTS), dtype=torch.long)
    mask = torch.zeros_like(left)
    for row, prompt in enumerate(prompts):
        left[row, -len(prompt) :], right[row, : len(prompt)], mask[row, -len(prompt) :] = prompt, prompt, 1
    settings = {"do_sample": False, "max_new_tokens": WRITTEN, "eos_token_id": 2, "pad_token_id": 0}
    written = decoder.generate(left, attention_mask=mask, **settings)[:, left.shape[1] :]
    scores = torch.zeros(len(PROMPTS), len(OPTIONS), dtype=dtype)
    for row, prompt in enumerate(prompts):
        for column, option in enumerate(OPTIONS):
            whole = torch.cat([prompt, torch.tensor(option)])
            likelihood = decoder(whole[None]).logits[0].log_softmax(-1)
            places = torch.arange(len(prompt) - 1, len(whole) - 1)
            scores[row, column] = likelihood[places, torch.tensor(option)].mean()
    return {"prompts": right, "written": written, "scores": scores}



def goldens() -> list[Golden]:
    made = []
    for name in CASES:
        decoder = model(name)
        weights = {key: value.detach() for key, value in decoder.named_parameters()}
        single, double = trace(name, torch.float32), trace(name, torch.float64)
        rounding = {prefix: deviation(single, double, prefix) for prefix in ("loss", "logits", "gradient")}
        config = json.dumps(COMMON | CASES[name], indent=2) + "\n"
        made += [
            Golden(f"{name}/config.json", goldens, config),
            Golden(f"{name}/model.safetensors", model, weights, SEED),
            Golden(f"{name}/outputs.safetensors", trace, single, SEED + 1, {"length": LENGTH}, rounding),
            Golden(f"{name}/answers.safetensors", answers, answers(name), SEED + 2, {"options": OPTIONS}),
        ]
    return made
