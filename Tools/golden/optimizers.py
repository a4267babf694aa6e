"""Optimizers on three small tensors with given gradients, and learning-rate schedules."""

from functools import partial

import torch
from transformers import Adafactor, get_constant_schedule, get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

from golden.manifest import Golden

SEED = 20240619
STEPS = 12
SHAPES = [(4, 3), (5,), (2, 3, 2)]
CASES = {
    "adamw": (torch.optim.AdamW, {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.1}),
    "adam-l2": (torch.optim.Adam, {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.1}),
    "sgd": (torch.optim.SGD, {"lr": 0.1}),
    "sgd-l2": (torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.1}),
    "sgd-momentum": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    "adafactor": (
        Adafactor,
        {"lr": 0.5, "scale_parameter": False, "relative_step": False, "warmup_init": False, "weight_decay": 1e-2},
    ),
    "adafactor-relative": (Adafactor, {"scale_parameter": True, "relative_step": True, "warmup_init": False}),
    "sgd-nesterov": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True}),
}
BASE_RATE, WARMUP, TOTAL = 2e-3, 10, 50
SCHEDULES = {
    "constant": get_constant_schedule,
    "linear": partial(get_linear_schedule_with_warmup, num_warmup_steps=WARMUP, num_training_steps=TOTAL),
    "cosine": partial(get_cosine_schedule_with_warmup, num_warmup_steps=WARMUP, num_training_steps=TOTAL),
}


def trajectories() -> dict[str, torch.Tensor]:
    """`initial.K`, `gradients.K` [12, ...], and after each step `CASE.K` [12, ...]."""
    generator = torch.Generator().manual_seed(SEED)
    initial = [torch.randn(shape, generator=generator) for shape in SHAPES]
    gradients = [torch.randn((STEPS, *shape), generator=generator) for shape in SHAPES]
    tensors = {f"initial.{k}": value for k, value in enumerate(initial)}
    tensors |= {f"gradients.{k}": value for k, value in enumerate(gradients)}
    for name, (optimizer_type, options) in CASES.items():
        parameters = [torch.nn.Parameter(value.clone()) for value in initial]
        optimizer = optimizer_type(parameters, **options)
        steps = []
        for step in range(STEPS):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient[step].clone()
            optimizer.step()
            steps.append([parameter.detach().clone() for parameter in parameters])
        tensors |= {f"{name}.{k}": torch.stack(values) for k, values in enumerate(zip(*steps, strict=True))}
    return tensors


def schedules() -> dict[str, torch.Tensor]:
    """The learning rate that step 0, 1, … 49 uses."""
    tensors = {}
    for name, make in SCHEDULES.items():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE_RATE)
        schedule = make(optimizer)
        rates = []
        for _ in range(TOTAL):
            rates.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
        tensors[name] = torch.tensor(rates)
    return tensors


def goldens() -> list[Golden]:
    options = {name: options for name, (_, options) in CASES.items()}
    rates = {"base_rate": BASE_RATE, "warmup_steps": WARMUP, "total_steps": TOTAL}
    return [
        Golden("optimizers/trajectories.safetensors", trajectories, trajectories(), SEED, options),
        Golden("optimizers/schedules.safetensors", schedules, schedules(), settings=rates),
    ]
