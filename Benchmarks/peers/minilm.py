"""The loop that PyTorch users write: transformers, bf16 autocast, SDPA, fused AdamW, the same batches as Jay.

    python minilm.py train FILE MODEL UPDATES | evaluate FILE MODEL
Prints one JSON line: tokens per second, peak memory.
"""
import json
import os
import resource
import sys
import time

import torch
from transformers import AutoModel

torch.manual_seed(0)
torch.set_num_threads(int(os.environ.get("THREADS", "2")))


class Classifier(torch.nn.Module):
    def __init__(self, folder, classes):
        super().__init__()
        self.encoder = AutoModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="sdpa")
        self.dropout = torch.nn.Dropout(0.1)
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, classes)

    def forward(self, tokens, segments, mask):
        hidden = self.encoder(input_ids=tokens, token_type_ids=segments, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        return self.head(self.dropout((hidden * weights).sum(1) / weights.sum(1)))


def collate(rows):
    length = max(len(r["tokens"]) for r in rows)
    tokens = torch.zeros(len(rows), length, dtype=torch.long)
    segments, mask = tokens.clone(), tokens.clone()
    for i, r in enumerate(rows):
        n = len(r["tokens"])
        tokens[i, :n] = torch.tensor(r["tokens"])
        segments[i, r["firstLength"]:n] = 1
        mask[i, :n] = 1
    return tokens, segments, mask, torch.tensor([r["target"] for r in rows])


def emit(tokens, seconds, loss=None):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"tokensPerSecond": tokens / seconds, "seconds": seconds, "tokens": tokens, "peakBytes": peak, "loss": loss}))


def train(rows, model, updates, warmup=10):
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.0, fused=True)
    batches = [rows[i:i + 8] for i in range(0, len(rows), 8)]
    tokens, loss = 0, None
    for step in range(warmup + updates):
        if step == warmup:
            start = time.perf_counter()
        batch = batches[step % len(batches)]
        inputs = collate(batch)
        with torch.autocast("cpu", torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(model(*inputs[:3]).float(), inputs[3])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss = loss.item()
        if step >= warmup:
            tokens += sum(len(r["tokens"]) for r in batch)
    emit(tokens, time.perf_counter() - start, loss)


def evaluate(rows, model, size=32):
    model.eval()
    batches = [rows[i:i + size] for i in range(0, len(rows), size)]
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for batch in batches[:2]:
            model(*collate(batch)[:3])
        start = time.perf_counter()
        for batch in batches:
            model(*collate(batch)[:3]).argmax(-1).tolist()
    emit(sum(len(r["tokens"]) for r in rows), time.perf_counter() - start)


rows = json.load(open(sys.argv[2]))
model = Classifier(sys.argv[3], max(r["target"] for r in rows) + 1)
if sys.argv[1] == "train":
    train(rows, model, int(sys.argv[4]))
else:
    evaluate(rows, model)
