"""Writes a model directory with random bfloat16 weights of a configuration's shapes: `random_model.py CONFIG.json OUT`.

For measurements of memory and speed on sizes whose weights are not at hand. Every shard of about a gigabyte is drawn
anew from one block of normal numbers, so that seven billion weights take minutes.
"""
import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

SHARD = 1 << 30


def main():
    config_file, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(config_file, out / "config.json")
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(out))
    block = torch.randn(1 << 24, generator=torch.Generator().manual_seed(0)).mul_(0.02).bfloat16()
    index, shard, size, files = {}, {}, 0, 0

    def write():
        nonlocal shard, size, files
        name = f"model-{files:05d}.safetensors"
        save_file(shard, out / name, metadata={"format": "pt"})
        index.update({key: name for key in shard})
        shard, size, files = {}, 0, files + 1

    for key, parameter in model.named_parameters():
        count = parameter.numel()
        values = torch.ones(count, dtype=torch.bfloat16) if "norm" in key else block.repeat(-(-count // len(block)))[:count]
        shard[key] = values.reshape(parameter.shape).contiguous()
        size += 2 * count
        if size >= SHARD:
            write()
    if shard:
        write()
    (out / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))


main()
