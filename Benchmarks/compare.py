#!/usr/bin/env python3
"""Jay and its peers train in turns on the same rows, and their paired ratios are printed: compare.py BENCHMARK PYTHON OUT.

    MODELS="minilm t5-small"  BATCHES="8 32"  KINDS="best official lora bound migu lazy"  ROUNDS=3  THREADS=2  SCALE=1

Needs JAY_DATA (the folder that holds cl15 and tokenizers). Every process starts anew; a round runs all sides of a case one
after the other, so that a ratio compares neighbours. OUT gets all figures as JSON.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
FAMILIES = {"minilm": "bert", "bert-base": "bert", "t5-small": "t5", "llama-15m": "llama", "llama-110m": "llama"}
# Updates of a timed run at batch 8, after a warm-up of three; a quarter of them at batch 32.
UPDATES = {"minilm": 60, "bert-base": 16, "t5-small": 32, "llama-15m": 40, "llama-110m": 12}
BATCHES = "8 32"
# Texts of a batch of the peer's evaluation; Jay's are cut at 2048 tokens.
EVALUATION_BATCH = 32
# What each side of a comparison runs: Jay's methods, then the peer's kind, or Jay's methods too.
COMPARISONS = {
    "best": (["finetune"], "best"),
    "compiled": (["finetune"], "compiled"),
    "plain": (["finetune"], "plain"),
    "official": (["migu"], "official"),
    "lora": (["lora"], "lora"),
    "bound": (["finetune"], "bound"),
    "migu": (["migu"], ["finetune"]),
    "lazy": (["lazy"], ["finetune"]),
    "float32": (["finetune"], ["finetune", "float32"]),
    "padded": (["finetune"], ["padded"]),
}
TITLES = {
    "best": "fine-tuning : PyTorch at its best", "compiled": "fine-tuning : PyTorch compiled",
    "plain": "fine-tuning : PyTorch, batches in order", "official": "MIGU : its official formulation",
    "lora": "LoRA : peft", "bound": "fine-tuning : its products alone", "migu": "MIGU : Jay's own fine-tuning",
    "lazy": "lazy MIGU : Jay's own fine-tuning", "float32": "fine-tuning : the same in float32",
    "padded": "fine-tuning : the same over padding too",
    "evaluate": "evaluation : PyTorch",
}


def words(name, default):
    return os.environ.get(name, default).split()


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def case(model, batch, rows, benchmark, python, rounds):
    """The figures of each side of a model and batch size, a list over the rounds."""
    shape, scale = HERE / "shapes" / model, float(os.environ.get("SCALE", "1"))
    updates = max(2, round(UPDATES[model] * 8 / batch * scale))
    kinds = words("KINDS", "best official lora bound migu lazy evaluate")
    sides = {}
    for kind in kinds:
        if kind == "evaluate":
            # It has batches of its own, so it is measured once.
            if FAMILIES[model] == "bert" and str(batch) == words("BATCHES", BATCHES)[0]:
                sides["jay evaluate"] = [benchmark, "evaluate", rows, shape]
                sides["peer evaluate"] = [python, HERE / "peers/training.py", kind, rows, shape, str(EVALUATION_BATCH), "0"]
            continue
        ours, theirs = COMPARISONS[kind]
        for methods in [ours] + ([theirs] if isinstance(theirs, list) else []):
            sides["jay " + " ".join(methods)] = [benchmark, "train", rows, shape, str(batch), str(updates), *methods]
        if isinstance(theirs, str):
            peer = [python, HERE / "peers/training.py", theirs, rows, shape, str(batch), str(updates)]
            sides["peer " + theirs] = peer
    measured = {name: [] for name in sides}
    for _ in range(rounds):
        for name, command in sides.items():
            measured[name].append(run(command))
    return kinds, measured


def ratio(ours, theirs, key, higher):
    ratios = [a[key] / b[key] if higher else b[key] / a[key] for a, b in zip(ours, theirs)]
    return {"ratio": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}


def compare(model, batch, kinds, measured):
    for kind in kinds:
        if kind == "evaluate":
            sides = ("jay evaluate", "peer evaluate")
        else:
            ours, theirs = COMPARISONS[kind]
            sides = ("jay " + " ".join(ours), "peer " + theirs if isinstance(theirs, str) else "jay " + " ".join(theirs))
        if sides[0] not in measured:
            continue
        ours, theirs = measured[sides[0]], measured[sides[1]]
        median = lambda side, key: statistics.median(x[key] for x in side)
        yield {
            "model": model, "batch": EVALUATION_BATCH if kind == "evaluate" else batch, "what": kind,
            "jay": median(ours, "tokensPerSecond"), "peer": median(theirs, "tokensPerSecond"),
            **ratio(ours, theirs, "tokensPerSecond", True),
            "jayBytes": median(ours, "peakBytes"), "peerBytes": median(theirs, "peakBytes"),
            "memory": ratio(theirs, ours, "peakBytes", True)["ratio"] ** -1,
        }


def main():
    benchmark, python, out = sys.argv[1:]
    data, rounds, table = os.environ["JAY_DATA"], int(os.environ.get("ROUNDS", "3")), []
    print("| model | batch | what | Jay, tokens/s | other | ratio (low–high) | memory, of the other's |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for model in words("MODELS", " ".join(FAMILIES)):
            rows = f"{folder}/{FAMILIES[model]}.json"
            if not os.path.exists(rows):
                subprocess.run([benchmark, "prepare", data, FAMILIES[model], rows], check=True)
            for batch in map(int, words("BATCHES", BATCHES)):
                for row in compare(model, batch, *case(model, batch, rows, benchmark, python, rounds)):
                    table.append(row)
                    print(
                        f"| {model} | {row['batch']} | {TITLES[row['what']]} | {row['jay']:,.0f} | {row['peer']:,.0f} | "
                        f"{row['ratio']:.2f} ({row['low']:.2f}–{row['high']:.2f}) | {row['memory']:.2f} |", flush=True)
                    Path(out).write_text(json.dumps(table, indent=1) + "\n")


main()
