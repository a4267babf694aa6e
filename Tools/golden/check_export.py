"""Loads what Jay exports with transformers and compares scores.

    JAY_EXPORTS=/tmp/exports swift test --filter ExportedFoldersTests     # writes tiny models of each family
    python Tools/golden/check_export.py /tmp/exports/*

Each folder holds `original/` and `exported/` (a run's model and what `jay export` made of it will do), and perhaps
`scores.safetensors` with the scores `logits` that Jay gives the tokens `input_ids` with the exported weights. Printed is

- `moved`: how far the scores of the exported model are from the original's, so that something was trained at all;
- `tied`: how far they are from those of the original's class with the exported values of Jay's parameters, copies of tied
  weights left out: above 0, a stale copy is read;
- `jay`: how far they are from Jay's own.

Exits with 1 where `tied` is above 1e-6 or `jay` above 1e-4.
"""

import argparse
import json
import logging
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
# Beside this file lies `tokenizers.py`, which would hide the library of that name.
sys.path.pop(0)

import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

CLASSES = {
    "bert": "BertForMaskedLM",
    "roberta": "RobertaForMaskedLM",
    "xlm-roberta": "XLMRobertaForMaskedLM",
    "t5": "T5ForConditionalGeneration",
}


def load(folder: Path) -> torch.nn.Module:
    kind = json.loads((folder / "config.json").read_text())["model_type"]
    name = CLASSES.get(kind)
    loader = getattr(transformers, name) if name else transformers.AutoModelForCausalLM
    return loader.from_pretrained(folder, dtype=torch.float32).eval()


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    files = sorted(folder.glob("model*.safetensors"))
    return {name: tensor for file in files for name, tensor in load_file(file).items()}


@torch.no_grad()
def scores(model: torch.nn.Module, tokens: torch.Tensor) -> torch.Tensor:
    return model(tokens, **({"decoder_input_ids": tokens} if model.config.is_encoder_decoder else {})).logits


@torch.no_grad()
def tied(original: torch.nn.Module, exported: dict[str, torch.Tensor]) -> torch.nn.Module:
    """The original with the exported values; what it ties stays tied."""
    renamed = {k.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias"): v
               for k, v in exported.items()}  # fmt: skip
    for name, parameter in original.named_parameters():
        parameter.copy_(renamed[name])
    return original


def distance(first: torch.Tensor, second: torch.Tensor) -> float:
    return (first - second).abs().max().item()


def check(folder: Path) -> bool:
    stored = folder / "scores.safetensors"
    given = load_file(stored) if stored.exists() else {}
    tokens = given.get("input_ids", torch.tensor([[5, 6, 7], [50, 8, 9]]))
    original = load(folder / "original")
    before, after = scores(original, tokens), scores(load(folder / "exported"), tokens)
    figures = {
        "moved": distance(after, before),
        "tied": distance(after, scores(tied(original, tensors(folder / "exported")), tokens)),
    }
    if "logits" in given:
        figures["jay"] = distance(after, given["logits"])
    print(f"{folder.name:24}", "  ".join(f"{name} {value:.1e}" for name, value in figures.items()))
    return figures["tied"] <= 1e-6 and figures.get("jay", 0) <= 1e-4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="folders that hold original/ and exported/")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    sys.exit(0 if all([check(folder) for folder in arguments.folders]) else 1)


if __name__ == "__main__":
    main()
