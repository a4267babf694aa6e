"""Generation and closed-set scoring as users of transformers do it.

    python generation.py prepare FOLDER       random weights of a small Llama and a T5-small, prompts, options
    python generation.py serve MODEL DTYPE    one timed turn for each line of the standard input: generate or score
"""
import json
import os
import sys
import time

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

LENGTHS = [12, 48, 20, 32, 8, 40, 16, 28]
NEW = 64
LABELS = 14

torch.set_num_threads(int(os.environ.get("THREADS", "2")))


def prepare(folder):
    torch.manual_seed(0)
    llama = LlamaConfig(
        vocab_size=32000, hidden_size=288, intermediate_size=768, num_hidden_layers=6, num_attention_heads=6,
        num_key_value_heads=6, max_position_embeddings=1024, tie_word_embeddings=True,
    )
    t5 = T5Config(
        vocab_size=32128, d_model=512, d_kv=64, d_ff=2048, num_layers=6, num_heads=8, decoder_start_token_id=0,
    )
    # Class names of one to four tokens, then the token that ends the answer.
    options = [torch.randint(3, 32000, (1 + label % 4,)).tolist() + [1] for label in range(LABELS)]
    prompts = [torch.randint(3, 32000, (length,)).tolist() for length in LENGTHS]
    for name, model in (("llama", LlamaForCausalLM(llama)), ("t5", T5ForConditionalGeneration(t5))):
        model.save_pretrained(f"{folder}/{name}")
        with open(f"{folder}/{name}/work.json", "w") as file:
            json.dump({"prompts": prompts, "options": options, "newTokens": NEW}, file)


def padded(rows, left):
    length = max(map(len, rows))
    ids, mask = torch.zeros(2, len(rows), length, dtype=torch.long)
    for i, row in enumerate(rows):
        place = slice(length - len(row), length) if left else slice(0, len(row))
        ids[i, place], mask[i, place] = torch.tensor(row), 1
    return ids, mask


class Turns:
    def __init__(self, folder, dtype):
        self.is_t5 = AutoConfig.from_pretrained(folder).is_encoder_decoder
        kind = AutoModelForSeq2SeqLM if self.is_t5 else AutoModelForCausalLM
        self.model = kind.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
        self.model.generation_config.eos_token_id = None
        self.work = json.load(open(f"{folder}/work.json"))

    def generate(self):
        ids, mask = padded(self.work["prompts"], left=not self.is_t5)
        settings = {"do_sample": False, "max_new_tokens": self.work["newTokens"], "pad_token_id": 0}
        written = self.model.generate(ids, attention_mask=mask, **settings)
        written = written[:, 1 if self.is_t5 else ids.shape[1] :]
        return written.numel(), written.sum().item()

    def score(self):
        """Each option behind each prompt, batch by batch: the way of lm-evaluation-harness."""
        total = 0.0
        for option in self.work["options"]:
            wanted = torch.tensor(option)
            if self.is_t5:
                ids, mask = padded(self.work["prompts"], left=False)
                labels = wanted.repeat(len(ids), 1)
                logits = self.model(input_ids=ids, attention_mask=mask, labels=labels).logits
            else:
                ids, mask = padded([prompt + option for prompt in self.work["prompts"]], left=True)
                output = self.model(input_ids=ids, attention_mask=mask, logits_to_keep=len(option) + 1)
                logits = output.logits[:, :-1]
            likelihood = logits.float().log_softmax(-1).gather(2, wanted.expand(len(ids), -1).unsqueeze(2))
            total += likelihood.mean(1).sum().item()
        return len(self.work["prompts"]) * len(self.work["options"]), total


def serve(folder, dtype):
    turns = Turns(folder, dtype)
    for line in sys.stdin:
        start, cpu = time.perf_counter(), time.process_time()
        with torch.inference_mode():
            count, check = getattr(turns, line.strip())()
        turn = {"seconds": time.perf_counter() - start, "cpuSeconds": time.process_time() - cpu}
        print(json.dumps(turn | {"count": count, "check": check}), flush=True)


if __name__ == "__main__":
    {"prepare": prepare, "serve": serve}[sys.argv[1]](*sys.argv[2:])
