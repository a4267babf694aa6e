"""What every method trace starts from: two toy experiences, task heads, LoRA factors, replay indices."""

import torch

from golden import bert
from golden.manifest import Golden

SEED = 20240624
FILE = "methods/inputs.safetensors"
BATCHES, SIZE, LENGTH, LABELS, STEPS, RANK = 4, 4, bert.LENGTH, 3, 5, 4
WRAPPED = [f"encoder.layer.{layer}.attention.self.{part}" for layer in (0, 1) for part in ("query", "value")]


def experience(generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Four batches of four random sequences, padded on the right; the first one of a batch has full length."""
    shape = (BATCHES, SIZE, LENGTH)
    lengths = torch.randint(4, LENGTH + 1, shape[:2], generator=generator)
    lengths[:, 0] = LENGTH
    second = torch.randint(2, LENGTH, shape[:2], generator=generator)
    position = torch.arange(LENGTH).expand(shape)
    mask = (position < lengths.unsqueeze(-1)).long()
    words = torch.randint(len(bert.SPECIAL), bert.CONFIG["vocab_size"], shape, generator=generator)
    return {
        "input_ids": words * mask,
        "attention_mask": mask,
        "token_type_ids": (position >= second.unsqueeze(-1)).long() * mask,
        "labels": torch.randint(LABELS, shape[:2], generator=generator),
    }


def inputs() -> dict[str, torch.Tensor]:
    """`experience.E.FIELD`, `heads.E.*`, `MODULE.lora.E.a` and `replay`: for each step four of the 16 old samples."""
    generator = torch.Generator().manual_seed(SEED)
    tensors, width = {}, bert.CONFIG["hidden_size"]
    for index in (0, 1):
        fields = experience(generator)
        tensors |= {f"experience.{index}.{key}": value for key, value in fields.items()}
        tensors[f"heads.{index}.weight"] = 0.2 * torch.randn((LABELS, width), generator=generator)
        tensors[f"heads.{index}.bias"] = 0.1 * torch.randn((LABELS,), generator=generator)
        for module in WRAPPED:
            factor = torch.rand((RANK, width), generator=generator)
            tensors[f"{module}.lora.{index}.a"] = (2 * factor - 1) / width**0.5
    samples = [torch.randperm(BATCHES * SIZE, generator=generator)[:SIZE] for _ in range(STEPS)]
    return tensors | {"replay": torch.stack(samples)}


def goldens() -> list[Golden]:
    return [Golden(FILE, inputs, inputs(), SEED)]
