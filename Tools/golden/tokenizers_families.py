#!/usr/bin/env python3
"""Writes what the tokenizers of GPT-2, RoBERTa, Qwen 2, Llama 2, Llama 3, T5, XLM-RoBERTa and CLIP make of texts.

Usage: tokenizers_families.py DATA_FOLDER [NAME ...]     (tokenizers 0.23.3, transformers 5.23, sentencepiece, protobuf)

Where names are given, only those are written anew. transformers reads the older files, Llama 2's merges in the order of
their scores, as SentencePiece and the published file have them (transformers 5.23 takes the order of ids); what it makes of them is saved as tokenizer.json, without vocabulary, to
Goldens/Families: the tests put the vocabulary back in. Llama 3 is its splits around GPT-2's vocabulary.
CLIP's vocabulary follows from its merges as in openai/CLIP `clip/simple_tokenizer.py` at 0848ed7.
"""
import sys

sys.path.pop(0)  # This folder holds a file with the name of the module imported next.

import gzip
import hashlib
import json
import shutil
import tempfile
from array import array
from pathlib import Path

import tokenizers
import transformers
from tokenizers import Tokenizer
from transformers.convert_slow_tokenizer import generate_merges

GOLDENS = Path(__file__).resolve().parents[2] / "Tests/TokenizersTests/Goldens"
COLLECTIONS = ["cl15", "corpora", "extra"]
BEGINNING = 8192  # Bytes of each file in which the lines of the beginning start.
FAMILIES = {  # name: (class, folder of the data, files under the names that the class looks for)
    "gpt2": ("GPT2Tokenizer", "gpt2", ["vocab.json", "merges.txt"]),
    "roberta": ("RobertaTokenizer", "roberta", ["vocab.json", "merges.txt"]),
    "qwen2": ("Qwen2Tokenizer", "gpt2", ["vocab.json", "merges.txt"]),
    "llama2": ("LlamaTokenizer", "llama", ["tokenizer.model"]),
    "t5": ("T5Tokenizer", "t5", ["spiece.model"]),
    "xlm-roberta": ("XLMRobertaTokenizer", "t5", ["sentencepiece.bpe.model"]),
    "clip": ("CLIPTokenizer", "clip", ["bpe_simple_vocab_16e6.txt.gz"]),
}
CLIP_MERGES = 49152 - 256 - 2
VARIANTS = {"llama2-legacy": "llama2", "llama3": "gpt2", "t5-spm": "t5"}  # name: what it is made of
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
TEXTS = [
    "", " ", "a", "Hello world", "  two  spaces\nand a newline ", "\n\n", "\n  x", "   leading", "trailing   ",
    "it's IT'S we'LL I'd'VE they'Re 'ſx 'S '", "1234567890 12 1234 ½¾ ²³ ٣٤", "a\r\nb\r\n\r\n  c\n\n\n   d   \n e \t\t f",
    " \u00a0x\u3000 y\u200a z\u0085w", "▁ ▁▁a ▁ b", "\u2581", "<0x41> <0xFF>", "\ufffd", "a\u0000b\u0001c\u007fd",
    "<s>", "</s> <s>a</s>b", "a <mask> b", "<pad><unk><extra_id_0> x <extra_id_99>.<extra_id_100>",
    "<|endoftext|>hi <|endoftext|> there<|begin_of_text|>x", "naïve café résumé Ａ\u0301 ｅ\u0301 ẛ̣ ﬁ ㍿ ① Ⅷ",
    "e\u0301 e\u0301\u0302 \u0301e q\u0323\u0307 A\u030angstro\u0308m", "안녕하세요 세계 \u1112\u1161\u11ab", "日本語のテキスト がか\u3099",
    "你好,世界 \U00020000", "Привет, мир! й и\u0306", "नमस्ते क्षि", "สวัสดีชาวโลก ำ", "مرحبا بالعالم ﷺ", "😀👨‍👩‍👧‍👦 🇩🇪👍🏽 ☃️",
    "zero\u200bwidth\u200cjoin\u200dner\ufeff soft\u00adhyphen", "\u088f\u0c5c\U00011de0 \u1cf2", "word" * 40, "0" * 30, " " * 30,
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "http://a.b/c?d=e&f $1,234.56 — “quoted”", "    def f(x):\n        return x\n\n\n",
    "\\frac{1}{2} \\alpha_{i}^{2}", "\t\techo \"hi\" # comment", "<br />\r\n\r\n", "ﬂow ℌ Å 𝐁𝐨𝐥𝐝 ǆ ΣΊΣΥΦΟΣ İstanbul",
]
OWN_TEXTS = {"clip": [
    "a photo of a <|startoftext|>cat<|endoftext|>", "<|STARTOFTEXT|> <|EndOfText|>", "</w> a</w>b </W>", "!!!'s 'LL 12th",
    "A\tphoto\r\n of   the\u00a0Café, e\u0301tude & Ⅷ Ǆ İ", "x</", "\u0085\u2028 \x1c a \x1f",
]}
PAIRS = [("", ""), ("a", ""), ("How old are you?", "I'm 6 years old."), ("a <s> b", "</s>c")]


def reference(name, data, folder):
    """The tokenizer that transformers makes of the older files, and its tokenizer.json."""
    kind, source, files = FAMILIES[name]
    for file in files:
        origin = "spiece.model" if file == "sentencepiece.bpe.model" else file
        shutil.copy(data / "tokenizers" / source / origin, folder / file)
    if name == "clip":
        tokenizer = clip(folder / files[0])
        return tokenizer, json.loads(tokenizer.to_str())
    if name == "llama2":
        tokenizer = llama(data / "tokenizers/llama/tokenizer.vocab.tsv").backend_tokenizer
    else:
        tokenizer = getattr(transformers, kind).from_pretrained(folder).backend_tokenizer
    content = json.loads(tokenizer.to_str())
    if name == "llama2":  # Jay sets <s> unless told otherwise, as the model was trained.
        content["post_processor"] = opening("<s>", 1)
    return tokenizer, content


def llama(path):
    """The tokenizer of the pieces in a table of number, piece, score and kind."""
    rows = [line.split("\t") for line in path.read_bytes().decode().split("\n") if line]
    scores = {row[1]: float(row[2]) for row in rows}
    vocabulary = {row[1]: int(row[0]) for row in rows}
    return transformers.LlamaTokenizer(vocab=vocabulary, merges=generate_merges(vocabulary, scores))


def clip(path):
    merges = [tuple(line.split()) for line in gzip.decompress(path.read_bytes()).decode().split("\n")]
    merges = merges[1:CLIP_MERGES + 1]
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    characters = [chr(byte) for byte in visible] + [chr(256 + place) for place in range(256 - len(visible))]
    pieces = characters + [character + "</w>" for character in characters] + [left + right for left, right in merges]
    vocabulary = {piece: place for place, piece in enumerate(pieces + ["<|startoftext|>", "<|endoftext|>"])}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=merges).backend_tokenizer


def opening(token, identifier):
    special = [{"SpecialToken": {"id": token, "type_id": segment}} for segment in (0, 1)]
    text = [{"Sequence": {"id": name, "type_id": segment}} for name, segment in (("A", 0), ("B", 1))]
    return {"type": "TemplateProcessing", "single": [special[0], text[0]],
            "pair": [special[0], text[0], special[1], text[1]],
            "special_tokens": {token: {"id": token, "ids": [identifier], "tokens": [token]}}}


def with_word_ends(tokenizer):
    """The tokenizer with the decoding that transformers puts around that of CLIP's file."""
    decode = tokenizer.decode
    tokenizer.decode = lambda *ids, **options: decode(*ids, **options).replace("</w>", " ").strip()
    return tokenizer


def variant(name, base):
    """A file that transformers does not make of the older ones, in the form its model is published with."""
    return {"llama2-legacy": llama2_legacy, "llama3": llama3, "t5-spm": t5_spm}[name](json.loads(json.dumps(base)))


def llama2_legacy(legacy):
    legacy["pre_tokenizer"] = None
    legacy["normalizer"] = {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    return legacy


def llama3(llama3):
    llama3["model"]["ignore_merges"] = True
    token = "<|begin_of_text|>"
    llama3["added_tokens"].append({**llama3["added_tokens"][0], "id": 50257, "content": token})
    llama3["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": LLAMA3}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]}
    llama3["post_processor"] = {"type": "Sequence", "processors": [
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        opening(token, 50257)]}
    return llama3


def t5_spm(spm):
    spm["normalizer"] = {"type": "Sequence", "normalizers": [
        spm["normalizer"], {"type": "Strip", "strip_left": False, "strip_right": True},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}]}
    spm["pre_tokenizer"] = spm["pre_tokenizer"]["pretokenizers"][1]
    return spm


def without_vocabulary(content):
    content = json.loads(json.dumps(content))
    content["model"]["vocab"] = "VOCABULARY"
    if "merges" in content["model"]:
        content["model"]["merges"] = "MERGES"
    for part in [content["normalizer"] or {}] + (content["normalizer"] or {}).get("normalizers", []):
        if "precompiled_charsmap" in part:
            part["precompiled_charsmap"] = "CHARSMAP"
    return content


def case(tokenizer, text, pair=None):
    result = tokenizer.encode(text, pair)
    record = {"text": text, "ids": result.ids}
    if pair is not None:
        return {**record, "pair": pair, "segments": result.type_ids}
    record["decoded"] = tokenizer.decode(result.ids, skip_special_tokens=True)
    record["decodedWhole"] = tokenizer.decode(result.ids, skip_special_tokens=False)
    starts = [0]
    for character in text:
        starts.append(starts[-1] + len(character.encode()))
    record["spans"] = [starts[place] for span in result.offsets for place in span]
    return record


def strings(value):
    """All strings of a record, those of an object in the order of its keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from strings(value[key])
    elif isinstance(value, list):
        for element in value:
            yield from strings(element)


def texts(data, collection):
    """For each file the texts of its beginning, and all."""
    for path in sorted((data / collection).rglob("*.jsonl.gz")):
        content = gzip.decompress(path.read_bytes())
        start, first, every = 0, [], []
        for line in content.split(b"\n"):
            if line:
                found = list(strings(json.loads(line)))
                every += found
                if start < BEGINNING:
                    first += found
            start += len(line) + 1
        yield first, every


def digest(tokenizer, batch):
    content = hashlib.sha256()
    tokens = 0
    for start in range(0, len(batch), 10000):
        for result in tokenizer.encode_batch(batch[start:start + 10000]):
            content.update(array("i", [len(result.ids)] + result.ids).tobytes())
            tokens += len(result.ids)
    return {"texts": len(batch), "tokens": tokens, "sha256": content.hexdigest()}


def row(collection, name, source, tokenizer, beginning, whole):
    result = {"collection": collection, "tokenizer": name, "source": source,
              "beginning": digest(tokenizer, beginning), "whole": digest(tokenizer, whole)}
    print(result, flush=True)
    return result


def rows(content):
    return "[\n" + ",\n".join("  " + json.dumps(row) for row in content) + "\n]\n"


def main():
    data, names = Path(sys.argv[1]), sys.argv[2:]
    wanted = names or [*FAMILIES, *VARIANTS]
    folder = GOLDENS / "Families"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        files, older = {}, {}
        for name in dict.fromkeys(VARIANTS.get(name, name) for name in wanted):
            place = Path(work) / name
            place.mkdir()
            tokenizer, files[name] = reference(name, data, place)
            # Read from JSON, scores differ in their last bit: ids do where two ways through a text tie.
            if files[name]["model"]["type"] == "Unigram":
                older[name] = tokenizer
    files = {name: variant(name, files[VARIANTS[name]]) if name in VARIANTS else files[name] for name in wanted}
    older = {name: tokenizer for name, tokenizer in older.items() if name in files}
    made = {name: Tokenizer.from_str(json.dumps(content)) for name, content in files.items()}
    if "clip" in made:
        made["clip"] = with_word_ends(made["clip"])
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(without_vocabulary(content), ensure_ascii=False) + "\n")
        cases = [case(made[name], text) for text in TEXTS + OWN_TEXTS.get(name, [])]
        cases += [case(made[name], *pair) for pair in PAIRS]
        (folder / f"{name}-texts.json").write_text(rows(cases))
    digests = json.loads((folder / "corpora.json").read_text()) if names else []
    digests = [row for row in digests if row["tokenizer"] not in made]
    for collection in COLLECTIONS:
        beginning, whole = [], []
        for first, every in texts(data, collection):
            beginning += first
            whole += every
        for name, tokenizer in made.items():
            digests.append(row(collection, name, "tokenizer.json", tokenizer, beginning, whole))
        for name, tokenizer in older.items():
            digests.append(row(collection, name, "older files", tokenizer, beginning, whole))
    digests.sort(key=lambda row: COLLECTIONS.index(row["collection"]))
    (folder / "corpora.json").write_text(rows(digests))


if __name__ == "__main__":
    main()
