"""LFPT5 on the tiny T5: two experiences of four updates, with given texts in place of those that the prompt writes."""

import torch
from torch.nn.functional import log_softmax
from transformers import Adafactor
from transformers.modeling_outputs import Seq2SeqLMOutput

from golden import t5
from golden.bert import deviation
from golden.manifest import Golden

SEED = 20240811
LENGTH, LANGUAGE, SHARE, RATE, DECAY = 4, 0.5, 0.3, 0.1, 1e-2
END = 1
# The last of the vocabulary: the separator, then the tokens of the two experiences.
SEPARATOR, TASKS = 95, [94, 93]
ANSWERS = [[7, END], [9, 11, END]]
SETTINGS = {"length": LENGTH, "lambda": LANGUAGE, "kappa": SHARE, "optimizer": "Adafactor", "lr": RATE}
SETTINGS |= {"weight_decay": DECAY, "scale_parameter": False, "relative_step": False}

Row = tuple[list[int], list[int], int]


def examples() -> dict[str, list[Row]]:
    """Text, answer and experience: four texts of each experience, and two that stand for written ones of the first."""
    generator = torch.Generator().manual_seed(SEED)
    made = {}
    for name, experience, count in (("experience.0", 0, 4), ("experience.1", 1, 4), ("written.0", 0, 2)):
        made[name] = []
        for index in range(count):
            length = int(torch.randint(3, 8, (), generator=generator))
            text = torch.randint(12, 60, (length,), generator=generator).tolist()
            made[name].append((text + [END], ANSWERS[index % 2], experience))
    return made


def padded(rows: list[list[int]], value: int) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def answers(model: torch.nn.Module, prompt: torch.Tensor, rows: list[Row]) -> tuple[Seq2SeqLMOutput, torch.Tensor]:
    """The model's output with the prompt behind the padded texts, and the labels."""
    ids = padded([text for text, _, _ in rows], 0)
    mask = padded([[1] * len(text) for text, _, _ in rows], 0)
    labels = padded([answer for _, answer, _ in rows], -100)
    embedded = torch.cat([model.shared(ids), prompt.expand(len(rows), -1, -1)], 1)
    mask = torch.cat([mask, torch.ones((len(rows), len(prompt)), dtype=mask.dtype)], 1)
    return model(inputs_embeds=embedded, attention_mask=mask, labels=labels, use_cache=False), labels


def divergence(model: torch.nn.Module, prompt: torch.Tensor, previous: torch.Tensor, rows: list[Row]) -> torch.Tensor:
    """Sum of KL(previous || present) over the answers' tokens."""
    new, labels = answers(model, prompt, rows)
    with torch.no_grad():
        old, _ = answers(model, previous, rows)
    new, old = log_softmax(new.logits, -1), log_softmax(old.logits, -1)
    return (old.exp() * (old - new)).sum(-1)[labels != -100].sum()


def trace(dtype: torch.dtype) -> dict[str, torch.Tensor]:
    model = t5.model("t5-tied", dtype)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    generator = torch.Generator().manual_seed(SEED + 1)
    start = 0.5 * torch.randn((LENGTH, model.config.d_model), generator=generator)
    prompt = torch.nn.Parameter(start.to(dtype).clone())
    data = examples()
    found: dict[str, list] = {"losses": [], "divergences": []}
    for experience in range(2):
        rows = data[f"experience.{experience}"] + (data["written.0"] if experience else [])
        previous = prompt.detach().clone()
        optimizer = Adafactor(
            [prompt], lr=RATE, scale_parameter=False, relative_step=False, warmup_init=False, weight_decay=DECAY
        )
        for step in range(4):
            batch = rows[0:3] if step % 2 == 0 else rows[3:]
            written = [([TASKS[e], END], text[:-1] + [SEPARATOR] + answer, e) for text, answer, e in batch]
            loss = answers(model, prompt, batch)[0].loss + LANGUAGE * answers(model, prompt, written)[0].loss
            loss = (1 - SHARE) * loss
            past = [row for row in batch if row[2] < experience]
            if past:
                found["divergences"].append(divergence(model, prompt, previous, past).detach())
                loss = loss + SHARE * divergence(model, prompt, previous, past)
            found["losses"].append(loss.detach())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {"start": start, "final": prompt.detach()} | {key: torch.stack(values) for key, values in found.items()}


def run() -> dict[str, torch.Tensor]:
    single, double = trace(torch.float32), trace(torch.float64)
    run.rounding = {key: deviation(single, double, key) for key in ("losses", "divergences", "final")}
    for name, rows in examples().items():
        single |= {f"{name}.tokens": padded([text for text, _, _ in rows], -1)}
        single |= {f"{name}.answers": padded([answer for _, answer, _ in rows], -1)}
    return single


def goldens() -> list[Golden]:
    content = run()
    return [Golden("methods/lfpt5.safetensors", run, content, SEED, SETTINGS, run.rounding)]
