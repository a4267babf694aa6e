#!/usr/bin/env python3
"""Writes the ids of conversations, and which of them the assistant writes, by transformers' apply_chat_template.

Usage: conversations.py DATA_FOLDER     (transformers 5.23.0)

The templates are those of generation_chat.py with the assistant's part marked as generated, which does not change the
text. Llama 2's tokenizer is that of tokenizers_families.py. Llama 3 and ChatML have GPT-2's vocabulary and their own special tokens behind it.
"""
import sys

FOLDER = sys.path.pop(0)  # It holds a file with the name of a module imported next.

import importlib.util
import json
import shutil
import tempfile
from pathlib import Path

import transformers

GOLDEN = Path(__file__).resolve().parents[2] / "Tests/TokenizersTests/Goldens/conversations.json"
SPECIAL = {
    "llama3": ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
    "chatml": ["<|im_start|>", "<|im_end|>"],
}
LLAMA3_MARKED = (
    "{% for message in messages %}{% if loop.index0 == 0 %}{{ bos_token }}{% endif %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] | trim + '<|eot_id|>' }}{% endgeneration %}{% else %}"
    "{{ message['content'] | trim + '<|eot_id|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
CHATML_MARKED = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n'}}{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{% else %}"
    "{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
CONVERSATIONS = [
    ["u Who wrote Faust?", "a Göthe 👍🏽"],
    ["s Answer briefly.", "u  Wer? \n", "a  J. W. von Goethe\n"],
    ["s Be kind.", "u One", "a Two", "u Three, please", "a \n\nFour, five\n\tand six", "u Seven?", "a 8"],
    ["u Write a function.", "a def f(x):\n    return x\n\n\nprint(f(1))", "u Shorter [INST] </s> it!", "a f = id"],
]


def beside(name):
    """Another script of this folder."""
    spec = importlib.util.spec_from_file_location(name, Path(FOLDER) / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, "")  # The module takes one entry away, as it does when it is started.
    spec.loader.exec_module(module)
    return module


def tokenizer(family, data):
    if family == "llama2":
        return beside("tokenizers_families").llama(data / "tokenizers/llama/tokenizer.vocab.tsv")
    with tempfile.TemporaryDirectory() as folder:
        for file in ("vocab.json", "merges.txt"):
            shutil.copy(data / "tokenizers/gpt2" / file, folder)
        gpt2 = transformers.GPT2Tokenizer.from_pretrained(folder)
    gpt2.add_special_tokens({"additional_special_tokens": SPECIAL[family]})
    if family == "llama3":
        gpt2.bos_token = "<|begin_of_text|>"
    return gpt2


def main():
    data, chat = Path(sys.argv[1]), beside("generation_chat")
    marked = {
        "llama2": (chat.LLAMA2, chat.LLAMA2.replace("{{ ' '  + content.strip()", "{% generation %}{{ ' '  + content.strip()")
                   .replace("eos_token }}{% endif %}{% endfor %}", "eos_token }}{% endgeneration %}{% endif %}{% endfor %}")),
        "llama3": (chat.LLAMA3, LLAMA3_MARKED), "chatml": (chat.CHATML, CHATML_MARKED),
    }
    cases = []
    for family, (template, marks) in marked.items():
        reader = tokenizer(family, data)
        for messages in map(chat.conversation, CONVERSATIONS):
            whole = reader.apply_chat_template(
                messages, chat_template=marks, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
            plain = reader.apply_chat_template(messages, chat_template=template, tokenize=True, return_dict=True)
            assert plain["input_ids"] == whole["input_ids"], family
            prompt = reader.apply_chat_template(
                messages[:-1], chat_template=template, tokenize=True, return_dict=True, add_generation_prompt=True)
            written = [place for place, mark in enumerate(whole["assistant_masks"]) if mark]
            cases.append({"family": family, "messages": messages, "ids": whole["input_ids"], "written": written,
                          "prompt": prompt["input_ids"]})
    GOLDEN.write_text("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
