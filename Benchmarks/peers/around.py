"""What PyTorch users have around training: around.py checkpoint MODEL FOLDER | tokenize TEXTS TOKENIZER; one JSON line each."""
import json
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


def reference(folder):
    """The Rust tokenizer, from the original files."""
    from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    family = Path(folder).name
    if family == "bert":
        return BertWordPieceTokenizer(f"{folder}/vocab.txt")
    if family == "gpt2":
        return ByteLevelBPETokenizer(f"{folder}/vocab.json", f"{folder}/merges.txt")
    lines = open(f"{folder}/spiece.vocab.tsv", encoding="utf-8").read().splitlines()
    pieces = [(piece, float(score)) for _, piece, score in (line.split("\t")[:3] for line in lines)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    # As T5's tokenizer.json: several blanks count as one.
    charsmap = normalizers.Precompiled(open(f"{folder}/precompiled_charsmap.bin", "rb").read())
    blanks = normalizers.Replace(Regex(" {2,}"), "▁")
    tokenizer.normalizer = normalizers.Sequence([charsmap, normalizers.Strip(), blanks])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return tokenizer


def tokenize(texts, folder):
    texts, tokenizer = json.loads(Path(texts).read_text()), reference(folder)
    # Not through the wrappers in Python, which lack the fast form; that leaves out offsets, as Jay's does.
    tokenizer = getattr(tokenizer, "_tokenizer", tokenizer)
    tokenizer.encode_batch_fast(texts[:1000])
    start = time.perf_counter()
    tokens = sum(len(e.ids) for e in tokenizer.encode_batch_fast(texts))
    return {"tokensPerSecond": tokens / (time.perf_counter() - start), "tokens": tokens}


print(json.dumps({"checkpoint": checkpoint, "tokenize": tokenize}[sys.argv[1]](*sys.argv[2:])))
