"""Adapters as huggingface/peft writes them, on the tiny models of the other goldens, and the states they give."""

import json
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import torch
from peft import IA3Config, LoraConfig, PeftModel, PrefixTuningConfig, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file

from golden import bert, llama, t5
from golden.bert import deviation
from golden.manifest import Golden

SEED = 20240705
SCRIPTS = {"llama-grouped": llama, "t5-tied": t5, "bert-tiny": bert}
TASKS = {"llama-grouped": "CAUSAL_LM", "t5-tied": "SEQ_2_SEQ_LM", "bert-tiny": "FEATURE_EXTRACTION"}
KINDS = {
    "lora": lambda: LoraConfig(r=4, lora_alpha=8),
    "rslora": lambda: LoraConfig(r=4, lora_alpha=3, use_rslora=True, target_modules="all-linear"),
    "ia3": lambda: IA3Config(),
    "prompt": lambda: PromptTuningConfig(num_virtual_tokens=5),
    "prefix": lambda: PrefixTuningConfig(num_virtual_tokens=3),
    # As Jay writes the prefixes of an encoder-decoder: said to be of twice as many layers, so that none shares another's.
    "prefix-apart": lambda: PrefixTuningConfig(num_virtual_tokens=3, num_layers=2 * t5.COMMON["num_layers"]),
}
ONLY = {"rslora": "llama-grouped", "prefix-apart": "t5-tied"}
CASES = [(name, kind) for name in SCRIPTS for kind in KINDS if ONLY.get(kind, name) == name]


def base(name: str, dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    model = bert.model(dtype) if name == "bert-tiny" else SCRIPTS[name].model(name, dtype)
    return model.eval()


def adapted(name: str, kind: str, dtype: torch.dtype = torch.float32) -> PeftModel:
    config = KINDS[kind]()
    config.task_type = TASKS[name]
    if kind.startswith("prefix") and name == "t5-tied":
        # The heads of this T5 are wider than its states together.
        config.token_dim, config.num_attention_heads = 32, 4
    model = get_peft_model(base(name, dtype), config)
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if parameter.requires_grad:
                center = 1.0 if "ia3" in key else 0.0
                parameter.copy_(center + 0.3 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


@torch.no_grad()
def states(model: PeftModel, name: str) -> dict[str, torch.Tensor]:
    """What the adapted model makes of the base's golden batch: scores of tokens, or the last hidden states."""
    inputs = SCRIPTS[name].batch()
    inputs.pop("labels", None)
    # A soft prompt's segments are zeros; peft would leave the text's out.
    kinds = inputs.pop("token_type_ids", None)
    prompt = model.active_peft_config.is_prompt_learning
    if kinds is not None and not prompt:
        inputs["token_type_ids"] = kinds
    output = model(**inputs)
    result = output.logits if hasattr(output, "logits") else output.last_hidden_state
    length = (inputs["decoder_input_ids"] if "decoder_input_ids" in inputs else inputs["input_ids"]).shape[1]
    return {"states": result[:, -length:]}


def case(name: str, kind: str) -> Iterator[Golden]:
    folder = f"peft/{name}-{kind}"
    model = adapted(name, kind)
    exact = states(model, name)
    rounding = {"states": deviation(exact, states(adapted(name, kind, torch.float64), name), "states")}
    with tempfile.TemporaryDirectory() as saved:
        model.save_pretrained(saved)
        tensors = load_file(Path(saved) / "adapter_model.safetensors")
        config = json.loads((Path(saved) / "adapter_config.json").read_text())
    for key, value in config.items():
        if isinstance(value, list):
            config[key] = sorted(value)
    settings = {"peft": version("peft"), "model": name}
    yield Golden(f"{folder}/adapter_config.json", case, json.dumps(config, indent=1, sort_keys=True) + "\n")
    yield Golden(f"{folder}/adapter_model.safetensors", case, tensors, SEED, settings)
    yield Golden(f"{folder}/outputs.safetensors", case, exact, SEED, settings, rounding)


def goldens() -> Iterator[Golden]:
    for name, kind in CASES:
        yield from case(name, kind)
