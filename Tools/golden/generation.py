"""What the tiny Llamas and T5s write: beam search, repetition penalty; and filtered scores."""

import torch
from transformers.generation.logits_process import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from golden import llama, t5
from golden.manifest import Golden

SEED = 20240703
WRITTEN = 10
# Width, length penalty, stopping (transformers' `early_stopping`).
BEAMS = [
    (2, 1.0, "estimated"),
    (4, 1.0, "estimated"),
    (3, 2.0, "atOnce"),
    (3, 0.5, "atOnce"),
    (4, 0.0, "never"),
    (2, 1.5, "never"),
]
STOPPING = {"estimated": False, "atOnce": True, "never": "never"}
# Random weights seldom write one given token: with many end tokens, answers of all lengths end.
END = {"few": [2], "many": list(range(1, 25))}
PENALTY = 1.7
# Temperature, k (0 for all), p.
FILTERS = [(0.7, 0, 1.0), (1.0, 5, 1.0), (1.0, 0, 0.6), (1.3, 12, 0.8), (1.0, 0, 0.05)]


def answers(model: torch.nn.Module, inputs: dict[str, torch.Tensor], **settings) -> torch.Tensor:
    """What is written behind the inputs, the end token included, −1 behind it."""
    count = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    written = model.generate(**inputs, do_sample=False, max_new_tokens=WRITTEN, pad_token_id=0, **settings)[:, count:]
    end = torch.isin(written, torch.tensor(settings["eos_token_id"]))
    behind = end.cumsum(1) - end.long() > 0
    return torch.nn.functional.pad(written.masked_fill(behind, -1), (0, WRITTEN - written.shape[1]), value=-1)


def prompts(name: str) -> list[dict[str, torch.Tensor]]:
    """The texts of `answers.safetensors` as one padded batch, then each alone."""
    if name.startswith("t5"):
        batch = t5.batch()
        both = {key: batch[key] for key in ("input_ids", "attention_mask")}
        lengths = both["attention_mask"].sum(1)
        alone = [{key: value[row : row + 1, :length] for key, value in both.items()} for row, length in enumerate(lengths)]
        return [both, *alone]
    generator = torch.Generator().manual_seed(llama.SEED + 2)
    texts = [torch.randint(3, llama.VOCABULARY, (length,), generator=generator) for length in llama.PROMPTS]
    ids, mask = torch.zeros(2, len(texts), max(llama.PROMPTS), dtype=torch.long)
    for row, text in enumerate(texts):
        ids[row, -len(text) :], mask[row, -len(text) :] = text, 1
    alone = [{"input_ids": text[None], "attention_mask": torch.ones_like(text)[None]} for text in texts]
    return [{"input_ids": ids, "attention_mask": mask}, *alone]


@torch.no_grad()
def written(name: str) -> dict[str, torch.Tensor]:
    """`beam WIDTH PENALTY STOPPING END` of the padded batch; `penalty WIDTH END` of each text alone, for padding would
    count as repeated."""
    model = (t5 if name.startswith("t5") else llama).model(name).eval()
    batch, *alone = prompts(name)
    tensors = {}
    for end, tokens in END.items():
        for width, penalty, stopping in BEAMS:
            settings = {"length_penalty": penalty, "early_stopping": STOPPING[stopping], "eos_token_id": tokens}
            key = f"beam {width} {penalty} {stopping} {end}"
            tensors[key] = answers(model, batch, num_beams=width, **settings)
        for width in (1, 3):
            settings = {"num_beams": width, "repetition_penalty": PENALTY, "eos_token_id": tokens}
            rows = [answers(model, text, **settings) for text in alone]
            tensors[f"penalty {width} {end}"] = torch.cat(rows)
    return tensors


def filters() -> dict[str, torch.Tensor]:
    """`TEMPERATURE K P`: `scores` after the filters; `penalised`: after the penalty of the tokens `present`."""
    generator = torch.Generator().manual_seed(SEED)
    scores = 3 * torch.randn((4, 40), generator=generator)
    present = torch.randint(0, 40, (4, 9), generator=generator)
    tensors = {"scores": scores, "present": present}
    tensors["penalised"] = RepetitionPenaltyLogitsProcessor(PENALTY)(present, scores)
    for temperature, count, share in FILTERS:
        steps = LogitsProcessorList([TemperatureLogitsWarper(temperature)])
        if count:
            steps.append(TopKLogitsWarper(count))
        if share < 1:
            steps.append(TopPLogitsWarper(share))
        tensors[f"{temperature} {count} {share}"] = steps(present, scores)
    return tensors


def goldens() -> list[Golden]:
    settings = {"tokens": WRITTEN, "end": {"few": "2", "many": "1 to 24"}, "penalty": PENALTY}
    made = [
        Golden(f"generation/{name}.safetensors", written, written(name), SEED, settings)
        for name in (*llama.CASES, *t5.CASES)
    ]
    return [Golden("generation/filters.safetensors", filters, filters(), SEED, {"penalty": PENALTY}), *made]
