"""Tiny decoders of the Llama family with random weights: model directories, logits and gradients."""

import json

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

from golden.bert import deviation
from golden.manifest import Golden

SEED = 20240618
LENGTH = 12
SIZES = {
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-5,
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 100.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
VARIANTS = {
    # Grouped queries, Llama 3's positions, a head of its own.
    "llama-3": LlamaConfig(
        **SIZES,
        head_dim=8,
        tie_word_embeddings=False,
        rope_parameters=LLAMA3 | {"original_max_position_embeddings": 16},
    ),
    # As many keys as queries, linear positions, biases everywhere, a tied head.
    "llama-linear": LlamaConfig(
        **SIZES | {"num_key_value_heads": 4},
        attention_bias=True,
        mlp_bias=True,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0},
    ),
    # A window shorter than the texts.
    "llama-mistral": MistralConfig(**SIZES, sliding_window=5, tie_word_embeddings=False),
    # Biases on queries, keys and values.
    "llama-qwen2": Qwen2Config(**SIZES, tie_word_embeddings=True),
    # Normalised heads, wider together than the model.
    "llama-qwen3": Qwen3Config(**SIZES, head_dim=6, tie_word_embeddings=True),
}
# Real tokens of each row, and whether its padding stands on the left.
ROWS = [(12, False), (7, False), (9, True)]


def model(name: str, dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    """The decoder. Weights are larger than usual, so that attention is not flat and no gradient is tiny."""
    config = VARIANTS[name]
    config._attn_implementation = "eager"
    decoder = AutoModelForCausalLM.from_config(config)
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for key, parameter in decoder.named_parameters():
            center = 1.0 if "norm" in key else 0.0
            parameter.copy_(center + 0.3 * torch.randn(parameter.shape, generator=generator))
    return decoder.to(dtype).train()


def batch() -> dict[str, torch.Tensor]:
    """Three rows, one full, one padded on the right and one on the left; labels are the tokens that follow."""
    generator = torch.Generator().manual_seed(SEED + 1)
    ids = torch.zeros(len(ROWS), LENGTH, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, (length, is_left) in enumerate(ROWS):
        place = slice(LENGTH - length, None) if is_left else slice(0, length)
        ids[row, place] = torch.randint(3, SIZES["vocab_size"], (length,), generator=generator)
        mask[row, place] = 1
    labels = torch.full_like(ids, -100)
    followed = (mask[:, :-1] * mask[:, 1:]).bool()
    labels[:, :-1][followed] = ids[:, 1:][followed]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def trace(name: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    decoder, inputs = model(name, dtype), batch()
    positions = (inputs["attention_mask"].cumsum(1) - 1).clamp(min=0)
    logits = decoder(inputs["input_ids"], attention_mask=inputs["attention_mask"], position_ids=positions).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), inputs["labels"].flatten())
    loss.backward()
    tensors = inputs | {"loss": loss.detach(), "logits": logits.detach()}
    # What a padded position says is nobody's business.
    tensors["logits"] = tensors["logits"] * inputs["attention_mask"].unsqueeze(-1)
    return tensors | {f"gradient.{key}": parameter.grad for key, parameter in decoder.named_parameters()}


PROMPTS = [6, 3, 5]
OPTIONS = [[7, 2], [9, 11, 2], [30, 31, 32, 2]]
WRITTEN = 8


@torch.no_grad()
def answers(name: str, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    """What greedy decoding writes behind prompts of different lengths, and the mean log-likelihood of options."""
    decoder = model(name, dtype).eval()
    generator = torch.Generator().manual_seed(SEED + 2)
    prompts = [torch.randint(3, SIZES["vocab_size"], (length,), generator=generator) for length in PROMPTS]
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
    found = []
    for name, config in VARIANTS.items():
        single, double = trace(name, torch.float32), trace(name, torch.float64)
        rounding = {prefix: deviation(single, double, prefix) for prefix in ("loss", "logits", "gradient")}
        weights = {key: value.detach() for key, value in model(name).named_parameters()}
        text = json.dumps(config.to_diff_dict(), indent=2, sort_keys=True) + "\n"
        found += [
            Golden(f"{name}/config.json", goldens, text),
            Golden(f"{name}/model.safetensors", model, weights, SEED),
            Golden(f"{name}/outputs.safetensors", trace, single, SEED + 1, {"rows": ROWS}, rounding),
            Golden(f"{name}/answers.safetensors", answers, answers(name), SEED + 2, {"options": OPTIONS}),
        ]
    return found
