"""Writes the golden files of Tests/Goldens, or compares fresh ones with them.

    python Tools/golden/all.py --check
    python Tools/golden/all.py --write
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

# The scripts are imported as the package `golden`: with their own folder on the path, the file
# `tokenizers.py` there would hide the library of that name.
tools = Path(__file__).resolve().parents[1]
sys.path[0] = str(tools)
os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
import transformers  # noqa: E402

from golden import (  # noqa: E402
    bert,
    generation,
    lfpt5,
    llama,
    lora_methods,
    manifest,
    methods,
    migu,
    minilm,
    optimizers,
    peft_adapters,
    roberta,
    t5,
)


def write(folder: Path) -> None:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    sources = (
        bert, generation, lfpt5, llama, lora_methods, migu, minilm, methods, optimizers, peft_adapters, roberta, t5,
    )  # fmt: skip
    manifest.write((golden for source in sources for golden in source.goldens()), folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true", help="make them anew and compare, to rounding")
    action.add_argument("--write", action="store_true", help="make them anew and replace the stored ones")
    arguments = parser.parse_args()
    stored = tools.parent / "Tests" / "Goldens"
    if arguments.write:
        write(stored)
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        found = manifest.differences(stored, Path(folder))
    print("\n".join(found) if found else "Tests/Goldens: all files agree.")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
