"""The training and evaluation that PyTorch users write, over the rows that Jay gets too.

    training.py KIND ROWS MODEL BATCH UPDATES      one JSON line: real tokens per second, peak memory

KIND is one of
    best       bf16 autocast, SDPA, fused AdamW, batches of texts of similar length
    plain      the same, batches in the order of the rows
    compiled   `best` through torch.compile with dynamic shapes
    official   MIGU as wenyudu/MIGU has it: float32, eager attention, hooks that sum |activation|, dense gradients times
               dense masks, AdamW
    lora       peft's LoRA (rank 8, query and value) on a bfloat16 base, otherwise `best`
    bound      the step's products with weights alone, bfloat16, over real tokens, forward and backward
    evaluate   inference mode, bf16 autocast, sorted by length
MODEL is a folder with a config.json; its weights are drawn anew.
"""
import json
import os
import random
import resource
import sys
import time

import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

WARMUP = 3
THRESHOLD = 0.7
F = torch.nn.functional


class Classifier(torch.nn.Module):
    """An encoder with mean pooling and a head."""

    def __init__(self, config, classes, attention):
        super().__init__()
        self.encoder = AutoModel.from_config(config, attn_implementation=attention, add_pooling_layer=False)
        self.dropout = torch.nn.Dropout(0.1)
        self.head = torch.nn.Linear(config.hidden_size, classes)

    def forward(self, tokens, segments, mask, targets):
        hidden = self.encoder(input_ids=tokens, token_type_ids=segments, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        return F.cross_entropy(self.head(self.dropout((hidden * weights).sum(1) / weights.sum(1))).float(), targets)


class Writer(torch.nn.Module):
    """A language model whose loss is the answers' cross-entropy."""

    def __init__(self, config, attention):
        super().__init__()
        kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        self.model = kind.from_config(config, attn_implementation=attention)

    def forward(self, tokens, mask, labels):
        return self.model(input_ids=tokens, attention_mask=mask, labels=labels).loss


def padded(lists, value=0):
    length = max(map(len, lists))
    return torch.tensor([x + [value] * (length - len(x)) for x in lists])


def collate(rows, config):
    tokens = [r["tokens"] for r in rows]
    if not rows[0]["answer"]:
        segments = [[0] * r["firstLength"] + [1] * (len(r["tokens"]) - r["firstLength"]) for r in rows]
        targets = torch.tensor([r["target"] for r in rows])
        return padded(tokens), padded(segments), padded([[1] * len(x) for x in tokens]), targets
    answers = [r["answer"] for r in rows]
    if config.is_encoder_decoder:
        return padded(tokens), padded([[1] * len(x) for x in tokens]), padded(answers, -100)
    both = [x + a for x, a in zip(tokens, answers)]
    labels = [[-100] * len(x) + a for x, a in zip(tokens, answers)]
    return padded(both), padded([[1] * len(x) for x in both]), padded(labels, -100)


def bucketed(rows, batch):
    """Batches of similar lengths in random order: sorted within windows of fifty batches."""
    draw, batches = random.Random(0), []
    for start in range(0, len(rows), 50 * batch):
        window = sorted(rows[start : start + 50 * batch], key=lambda r: len(r["tokens"]))
        batches += [window[i : i + batch] for i in range(0, len(window), batch)]
    draw.shuffle(batches)
    return batches


def count(rows):
    return sum(len(r["tokens"]) + len(r["answer"]) for r in rows)


def emit(tokens, seconds, loss=None):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"tokensPerSecond": tokens / seconds, "seconds": seconds, "tokens": tokens, "peakBytes": peak, "loss": loss}))


def timed(batches, updates, step):
    """Runs a step for each batch in turn, and counts real tokens after the warm-up."""
    tokens, loss = 0, None
    for index in range(WARMUP + updates):
        if index == WARMUP:
            start = time.perf_counter()
        batch = batches[index % len(batches)]
        loss = step(batch)
        if index >= WARMUP:
            tokens += count(batch)
    emit(tokens, time.perf_counter() - start, loss)


def train(model, config, batches, updates, half=True, masks=None):
    model.train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.0, **({"fused": True} if half else {}))

    def step(batch):
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = model(*collate(batch, config))
        loss.backward()
        if masks:
            masks()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    timed(batches, updates, step)


def official_masks(model):
    """Hooks that sum each linear layer's |outputs|, and what multiplies its gradient by the mask of the largest."""
    sums = {}

    def hook(layer, _, output):
        sums[layer] = sums.get(layer, 0) + output.detach().abs().sum(tuple(range(output.dim() - 1)))

    layers = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
    for layer in layers:
        layer.register_forward_hook(hook)

    def apply():
        for layer in layers:
            if layer.weight.grad is None or layer not in sums:
                continue
            scores = sums[layer]
            mask = torch.zeros_like(layer.weight)
            mask[scores.topk(max(1, int(len(scores) * (1 - THRESHOLD)))).indices] = 1
            layer.weight.grad *= mask
        sums.clear()

    return apply


def bound(model, config, batches, updates):
    """y = x·Wᵀ, dx = dy·W and dW = dyᵀ·x of every linear layer, as many rows as it has real tokens."""
    layers = [
        (name, m.weight.detach().bfloat16()) for name, m in model.named_modules() if isinstance(m, torch.nn.Linear)
    ]

    def rows(name, batch):
        texts, answers = sum(len(r["tokens"]) for r in batch), sum(len(r["answer"]) for r in batch)
        if name == "head":
            return len(batch)
        if name.endswith("lm_head"):
            return answers
        if not config.is_encoder_decoder:
            return texts + answers
        reads_text = "encoder." in name or "EncDecAttention.k" in name or "EncDecAttention.v" in name
        return texts if reads_text else answers

    def step(batch):
        for name, weight in layers:
            x = torch.zeros(rows(name, batch), weight.shape[1], dtype=torch.bfloat16)
            y = x @ weight.T
            y @ weight
            y.T @ x

    timed(batches, updates, step)


def evaluate(model, config, rows, batch):
    model.eval()
    ordered = sorted(rows, key=lambda r: len(r["tokens"]))
    batches = [ordered[i : i + batch] for i in range(0, len(ordered), batch)]
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for group in batches[:2]:
            model(*collate(group, config))
        start = time.perf_counter()
        for group in batches:
            model(*collate(group, config)).item()
    emit(count(rows), time.perf_counter() - start)


def main():
    kind, rows, folder, batch, updates = sys.argv[1:]
    torch.manual_seed(0)
    torch.set_num_threads(int(os.environ.get("THREADS", "2")))
    rows, batch, updates = json.load(open(rows)), int(batch), int(updates)
    config = AutoConfig.from_pretrained(folder)
    attention = "eager" if kind == "official" else "sdpa"
    if rows[0]["answer"]:
        model = Writer(config, attention)
    else:
        model = Classifier(config, max(r["target"] for r in rows) + 1, attention)
    in_order = [rows[i : i + batch] for i in range(0, len(rows), batch)]
    if kind == "plain":
        train(model, config, in_order, updates)
    elif kind == "best":
        train(model, config, bucketed(rows, batch), updates)
    elif kind == "compiled":
        train(torch.compile(model, dynamic=True), config, bucketed(rows, batch), updates)
    elif kind == "official":
        train(model, config, in_order, updates, half=False, masks=official_masks(model))
    elif kind == "lora":
        from peft import LoraConfig, get_peft_model

        names = {"t5": ["q", "v"], "llama": ["q_proj", "v_proj"]}.get(config.model_type, ["query", "value"])
        keep = ["head"] if not rows[0]["answer"] else None
        adapted = get_peft_model(model.bfloat16(), LoraConfig(r=8, lora_alpha=16, target_modules=names, modules_to_save=keep))
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
        train(adapted, config, bucketed(rows, batch), updates)
    elif kind == "bound":
        bound(model, config, in_order, updates)
    elif kind == "evaluate":
        evaluate(model, config, rows, batch)
    else:
        sys.exit(f"training.py: no kind {kind}")


main()
