"""What PyTorch users have around training: around.py checkpoint MODEL FOLDER | tokenize DATA FAMILY; one JSON line each."""
import gzip
import json
import os
import sys
import time
from pathlib import Path


def checkpoint(model, folder):
    import torch
    from transformers import AutoConfig, AutoModel

    made = AutoModel.from_config(AutoConfig.from_pretrained(model), add_pooling_layer=False)
    optimizer = torch.optim.AdamW(made.parameters(), fused=True)
    for parameter in made.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    file = Path(folder) / "checkpoint.pt"
    start = time.perf_counter()
    torch.save({"model": made.state_dict(), "optimizer": optimizer.state_dict()}, file)
    written = time.perf_counter()
    state = torch.load(file)
    made.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return {"write": written - start, "read": time.perf_counter() - written}


def reference(data, family):
    """The Rust tokenizer, from the original files."""
    from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer, Tokenizer, models, normalizers, pre_tokenizers

    folder = f"{data}/tokenizers/{family}"
    if family == "bert":
        return BertWordPieceTokenizer(f"{folder}/vocab.txt")
    if family == "gpt2":
        return ByteLevelBPETokenizer(f"{folder}/vocab.json", f"{folder}/merges.txt")
    lines = open(f"{folder}/spiece.vocab.tsv", encoding="utf-8").read().splitlines()
    pieces = [(piece, float(score)) for _, piece, score in (line.split("\t")[:3] for line in lines)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.normalizer = normalizers.Precompiled(open(f"{folder}/precompiled_charsmap.bin", "rb").read())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


def tokenize(data, family):
    order = json.load(open(f"{data}/cl15/orders.json"))["4"]
    texts = [json.loads(line)["text"] for task in order for line in gzip.open(f"{data}/cl15/{task}/train.jsonl.gz")]
    tokenizer = reference(data, family)
    tokenizer.encode_batch(texts[:1000])
    start = time.perf_counter()
    tokens = sum(len(e.ids) for e in tokenizer.encode_batch(texts))
    return {"tokensPerSecond": tokens / (time.perf_counter() - start), "tokens": tokens}


print(json.dumps({"checkpoint": checkpoint, "tokenize": tokenize}[sys.argv[1]](*sys.argv[2:])))
