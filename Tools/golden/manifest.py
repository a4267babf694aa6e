"""Golden files on disk: writing them, describing them in manifest.json, and comparing two copies of them."""

import hashlib
import json
import platform
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import load_file, save

# A processor with other vector units rounds differently; each entry's `rounding` says how much that is.
RELATIVE_TOLERANCE = 1e-5
ABSOLUTE_TOLERANCE = 2e-5


@dataclass
class Golden:
    """One file of Tests/Goldens: tensors (`.safetensors`) or text, and the facts that the manifest tells about it."""

    file: str
    made_by: Callable
    content: dict[str, torch.Tensor] | str
    seed: int | None = None
    settings: dict = field(default_factory=dict)
    rounding: dict[str, float] = field(default_factory=dict)

    def data(self) -> bytes:
        if isinstance(self.content, str):
            return self.content.encode()
        return save({key: value.contiguous() for key, value in sorted(self.content.items())})

    def entry(self) -> dict:
        made_by = f"Tools/{self.made_by.__module__.replace('.', '/')}.py {self.made_by.__name__}"
        entry = {"file": self.file, "sha256": digest(self.data()), "bytes": len(self.data()), "made_by": made_by}
        if self.seed is not None:
            entry["seed"] = self.seed
        if self.settings:
            entry["settings"] = self.settings
        if self.rounding:
            entry["rounding"] = self.rounding
        if not isinstance(self.content, str):
            entry["tensors"] = {
                key: {"shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch.")}
                for key, value in sorted(self.content.items())
            }
        return entry


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write(goldens: Iterable[Golden], folder: Path) -> None:
    """Writes every golden and the manifest below `folder`."""
    entries = []
    for golden in goldens:
        path = folder / golden.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(golden.data())
        entries.append(golden.entry())
    packages = ("torch", "transformers", "tokenizers", "safetensors", "numpy")
    manifest = {
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "files": sorted(entries, key=lambda entry: entry["file"]),
    }
    (folder / "manifest.json").write_text(compact_json(manifest))


def compact_json(manifest: dict) -> str:
    """JSON with one line for each innermost object, so that a changed tensor is a changed line."""
    text = json.dumps(manifest, indent=1)
    return re.sub(r"\{[^{}]*\}", lambda object: re.sub(r"\s+", " ", object[0]), text) + "\n"


def differences(stored: Path, fresh: Path) -> list[str]:
    """Sentences that say where the stored goldens are damaged, or differ from fresh ones by more than rounding."""
    manifest = json.loads((stored / "manifest.json").read_text())
    expected = json.loads((fresh / "manifest.json").read_text())
    files = {entry["file"]: entry for entry in manifest["files"]}
    found = []
    for entry in expected["files"]:
        name = entry["file"]
        if name not in files or not (stored / name).exists():
            found.append(f"{name}: not stored. Run all.py --write.")
        elif digest((stored / name).read_bytes()) != files[name]["sha256"]:
            found.append(f"{name}: its SHA-256 is not the manifest's.")
        elif name.endswith(".safetensors"):
            found += [f"{name}: {text}" for text in tensor_differences(stored / name, fresh / name)]
        elif (stored / name).read_bytes() != (fresh / name).read_bytes():
            found.append(f"{name}: the text differs.")
    found += [f"{name}: no script writes it." for name in files if name not in {e["file"] for e in expected["files"]}]
    return found


def tensor_differences(stored: Path, fresh: Path) -> list[str]:
    old, new = load_file(stored), load_file(fresh)
    found = [f"key {key} stands in one of the two only." for key in sorted(old.keys() ^ new.keys())]
    for key in sorted(old.keys() & new.keys()):
        if old[key].shape != new[key].shape or old[key].dtype != new[key].dtype:
            found.append(f"{key}: shape or dtype differs.")
            continue
        close = torch.isclose(old[key], new[key], rtol=RELATIVE_TOLERANCE, atol=ABSOLUTE_TOLERANCE)
        if not close.all():
            where = (~close).nonzero()[0].tolist()
            at = tuple(where)
            found.append(f"{key}: first difference at {where}, stored {old[key][at]}, fresh {new[key][at]}.")
    return found
