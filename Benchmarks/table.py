"""Prints medians and paired ratios of a benchmark run, and the same as JSON."""
import json
import statistics
import sys


def rows(name):
    return [json.loads(line) for line in open(f"{sys.argv[1]}/{name}")]


def compare(title, ours, theirs, key, higher):
    a, b = [r[key] for r in rows(ours)], [r[key] for r in rows(theirs)]
    ratios = [x / y if higher else y / x for x, y in zip(a, b)]
    median = statistics.median
    print(f"{title:38} {median(a):>14,.0f} {median(b):>14,.0f}   {median(ratios):5.2f}  ({min(ratios):.2f}–{max(ratios):.2f})")
    return {"what": title, "jay": median(a), "peer": median(b), "ratio": median(ratios), "low": min(ratios), "high": max(ratios)}


print(f"{'MiniLM-L6, bf16, batch 8, cl15 texts':38} {'Jay':>14} {'peer':>14}   ratio (low–high), larger is better for Jay")
table = [
    compare("training, tokens/s", "train.jay", "train.peer", "tokensPerSecond", True),
    compare("training, peak bytes", "train.jay", "train.peer", "peakBytes", False),
    compare("evaluation, tokens/s", "evaluate.jay", "evaluate.peer", "tokensPerSecond", True),
    compare("evaluation, peak bytes", "evaluate.jay", "evaluate.peer", "peakBytes", False),
    compare("MIGU against Jay's fine-tuning, tokens/s", "train.migu", "train.jay", "tokensPerSecond", True),
]
print(json.dumps(table))
