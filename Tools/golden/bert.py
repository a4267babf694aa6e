"""A two-layer encoder with random weights: a model directory, its hidden states and its gradients."""

import json
import string

import torch
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertModel

from golden.manifest import Golden

SEED = 20240617
FOLDER = "bert-tiny"
LENGTH = 12
CONFIG = {
    "architectures": ["BertModel"],
    "attention_probs_dropout_prob": 0.0,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,
    "hidden_size": 32,
    "initializer_range": 0.2,
    "intermediate_size": 64,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 40,
    "model_type": "bert",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "pad_token_id": 0,
    "type_vocab_size": 2,
    "vocab_size": 100,
}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = (
    "the cat dog bird film book is was not very good bad red blue ran sat on in to of and it he we so "
    "##er ##ed ##ing . , ! ? -"
)
PAIRS = [
    ("The cat sat on it", "It was bad!"),
    ("A good film", "and very blue"),
    ("Birds", "barking 7"),
    ("is it not?", ""),
]


def model(dtype: torch.dtype = torch.float32) -> BertModel:
    """The encoder. Weights are ten times larger than usual, so that attention is not flat and no gradient is tiny."""
    config = BertConfig.from_dict(CONFIG)
    config._attn_implementation = "eager"
    encoder = BertModel(config, add_pooling_layer=False)
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            scale = 0.2 if parameter.dim() == 2 else 0.1
            center = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            parameter.copy_(center + scale * torch.randn(parameter.shape, generator=generator))
    return encoder.to(dtype).train()


def vocabulary() -> list[str]:
    letters = list(string.ascii_lowercase)
    pieces = SPECIAL + letters + ["##" + letter for letter in letters] + list(string.digits) + WORDS.split()
    pieces = list(dict.fromkeys(pieces))
    assert len(pieces) == CONFIG["vocab_size"], len(pieces)
    return pieces


def tokenizer() -> BertWordPieceTokenizer:
    made = BertWordPieceTokenizer({piece: index for index, piece in enumerate(vocabulary())}, lowercase=True)
    made.enable_padding(length=LENGTH)
    return made


def batch() -> dict[str, torch.Tensor]:
    """Four encoded texts, three of them pairs, padded on the right to 12 tokens."""
    encoded = tokenizer().encode_batch([pair if pair[1] else pair[0] for pair in PAIRS])
    fields = {"input_ids": "ids", "token_type_ids": "type_ids", "attention_mask": "attention_mask"}
    return {key: torch.tensor([getattr(row, name) for row in encoded]) for key, name in fields.items()}


def trace(dtype: torch.dtype) -> dict[str, torch.Tensor]:
    encoder, inputs = model(dtype), batch()
    output = encoder(**inputs, output_hidden_states=True)
    generator = torch.Generator().manual_seed(SEED + 1)
    probe = torch.randn(output.last_hidden_state.shape, generator=generator)
    loss = (output.last_hidden_state * probe.to(dtype) * inputs["attention_mask"].unsqueeze(-1)).sum()
    loss.backward()
    tensors = inputs | {"probe": probe, "loss": loss.detach(), "last_hidden_state": output.last_hidden_state.detach()}
    for index, hidden in enumerate(output.hidden_states):
        tensors[f"hidden_states.{index}"] = hidden.detach().clone()
    for name, parameter in encoder.named_parameters():
        tensors[f"gradient.{name}"] = parameter.grad
    return tensors


def deviation(single: dict[str, torch.Tensor], double: dict[str, torch.Tensor], prefix: str) -> float:
    """The largest distance, over the keys with this prefix, between a float32 run and the same run in float64."""
    keys = [key for key in single if key.startswith(prefix)]
    return float(f"{max((single[key].double() - double[key].double()).abs().max().item() for key in keys):.1e}")


def goldens() -> list[Golden]:
    weights = {name: value.detach() for name, value in model().state_dict().items()}
    single, double = trace(torch.float32), trace(torch.float64)
    rounding = {prefix: deviation(single, double, prefix) for prefix in ("loss", "hidden_states", "gradient")}
    texts = [{"text": pair[0], "pair": pair[1] or None} for pair in PAIRS]
    plain = tokenizer()
    plain.no_padding()
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
    settings |= {"model_max_length": CONFIG["max_position_embeddings"]}
    settings |= {f"{piece[1:-1].lower()}_token": piece for piece in SPECIAL}
    files = {
        "config.json": json.dumps(CONFIG, indent=2) + "\n",
        "vocab.txt": "\n".join(vocabulary()) + "\n",
        "tokenizer.json": plain.to_str(pretty=True) + "\n",
        "tokenizer_config.json": json.dumps(settings, indent=2) + "\n",
        "texts.json": json.dumps(texts, indent=1) + "\n",
    }
    return [Golden(f"{FOLDER}/{name}", goldens, text) for name, text in files.items()] + [
        Golden(f"{FOLDER}/model.safetensors", model, weights, SEED),
        Golden(f"{FOLDER}/outputs.safetensors", trace, single, SEED + 1, {"length": LENGTH}, rounding),
    ]
