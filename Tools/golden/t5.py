"""Tiny T5 models with random weights: model directories, scores, gradients, and the buckets of distances."""

import json

import torch
from transformers import T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5Attention

from golden.bert import deviation
from golden.manifest import Golden

SEED = 20240702
VOCABULARY, LENGTH, WRITTEN = 96, 14, 12
COMMON = {
    "d_model": 24,
    "d_kv": 8,
    "d_ff": 40,
    "num_layers": 2,
    "num_heads": 4,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 9,
    "dropout_rate": 0.0,
    "decoder_start_token_id": 0,
    "model_type": "t5",
    "pad_token_id": 0,
    "vocab_size": VOCABULARY,
}
CASES = {
    "t5-tied": {"feed_forward_proj": "relu", "tie_word_embeddings": True},
    "t5-gated": {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "num_decoder_layers": 1},
}
KEPT = ("block.0.", "shared", "lm_head", "final_layer_norm")


def model(name: str, dtype: torch.dtype = torch.float32) -> T5ForConditionalGeneration:
    """The model. Its queries are small, since T5 has no scale on the scores."""
    keys = COMMON | CASES[name]
    config = T5Config(**keys)
    config._attn_implementation = "eager"
    t5 = T5ForConditionalGeneration(config)
    if not keys["tie_word_embeddings"]:
        # This version of transformers ties the weights of new models whatever the configuration says.
        t5.lm_head.weight = torch.nn.Parameter(torch.empty_like(t5.lm_head.weight))
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for key, parameter in t5.named_parameters():
            center = 1.0 if "layer_norm" in key else 0.0
            scale = 0.5 if "bias" in key or "shared" in key else 0.2
            parameter.copy_(center + scale * torch.randn(parameter.shape, generator=generator))
    return t5.to(dtype).eval()


def batch() -> dict[str, torch.Tensor]:
    """Three texts of 14, 9 and 3 tokens, padded on the right; answers of 12, 5 and 1 tokens."""
    generator = torch.Generator().manual_seed(SEED + 1)
    ids = torch.randint(2, VOCABULARY, (3, LENGTH), generator=generator)
    mask = (torch.arange(LENGTH) < torch.tensor([[LENGTH], [9], [3]])).long()
    answer = torch.randint(2, VOCABULARY, (3, WRITTEN), generator=generator)
    written = torch.arange(WRITTEN) < torch.tensor([[WRITTEN], [5], [1]])
    start = torch.zeros((3, 1), dtype=torch.long)
    return {
        "input_ids": ids * mask,
        "attention_mask": mask,
        "labels": torch.where(written, answer, -100),
        "decoder_input_ids": torch.cat([start, answer * written], 1)[:, :-1],
    }


def trace(name: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    t5, inputs = model(name, dtype), batch()
    read = {key: inputs[key] for key in ("input_ids", "attention_mask", "decoder_input_ids")}
    output = t5(**read, use_cache=False)
    loss = torch.nn.functional.cross_entropy(output.logits.flatten(0, 1), inputs["labels"].flatten())
    loss.backward()
    tensors = inputs | {
        "encoded": output.encoder_last_hidden_state.detach(),
        "logits": output.logits.detach(),
        "loss": loss.detach(),
    }
    for key, parameter in t5.named_parameters():
        if any(part in key for part in KEPT):
            tensors[f"gradient.{key}"] = parameter.grad
    return tensors


OPTIONS = [[7, 1], [9, 11, 1], [30, 31, 32, 1]]
MOST = 8


@torch.no_grad()
def answers(name: str, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    """What greedy decoding answers to the three texts, and the mean log-likelihood of options."""
    t5, inputs = model(name, dtype), batch()
    texts = {key: inputs[key] for key in ("input_ids", "attention_mask")}
    written = t5.generate(**texts, do_sample=False, max_new_tokens=MOST, eos_token_id=1, pad_token_id=0)[:, 1:]
    columns = []
    for option in OPTIONS:
        wanted = torch.tensor(option).expand(3, -1)
        read = torch.cat([torch.zeros((3, 1), dtype=torch.long), wanted], 1)[:, :-1]
        likelihood = t5(**texts, decoder_input_ids=read, use_cache=False).logits.log_softmax(-1)
        columns.append(likelihood.gather(2, wanted.unsqueeze(2)).squeeze(2).mean(1))
    return {"written": written, "scores": torch.stack(columns, 1)}


def buckets() -> dict[str, torch.Tensor]:
    """Buckets of the distances −600 to 600: `COUNT.MAXIMUM.both` for the encoder, `.past` for the decoder."""
    distances = torch.arange(-600, 601)
    tensors = {}
    for count, maximum in ((32, 128), (8, 9), (16, 50)):
        for name, both in (("both", True), ("past", False)):
            tensors[f"{count}.{maximum}.{name}"] = T5Attention._relative_position_bucket(
                distances, bidirectional=both, num_buckets=count, max_distance=maximum
            )
    return tensors


def goldens() -> list[Golden]:
    made = [Golden("t5-buckets/buckets.safetensors", buckets, buckets())]
    for name in CASES:
        weights = {key: value.detach() for key, value in model(name).named_parameters()}
        single, double = trace(name, torch.float32), trace(name, torch.float64)
        rounding = {prefix: deviation(single, double, prefix) for prefix in ("loss", "logits", "gradient")}
        settings = {"length": LENGTH, "written": WRITTEN}
        made += [
            Golden(f"{name}/config.json", goldens, json.dumps(COMMON | CASES[name], indent=2) + "\n"),
            Golden(f"{name}/model.safetensors", model, weights, SEED),
            Golden(f"{name}/outputs.safetensors", trace, single, SEED + 1, settings, rounding),
            Golden(f"{name}/answers.safetensors", answers, answers(name), SEED + 1, {"options": OPTIONS}),
        ]
    return made
