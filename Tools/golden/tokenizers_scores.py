#!/usr/bin/env python3
"""Writes what llama2.c, and SentencePiece with the pieces of Llama 2, make of texts, by their rules written anew.

Usage: tokenizers_scores.py DATA_FOLDER

A text that is not empty gets a blank before it; a character without a piece becomes its bytes, numbered from 3; then, as
long as two neighbours make a piece, those merge whose piece has the best score, of equal ones the leftmost.
Source: karpathy/llama2.c at 350e04f, `encode` and `decode` of `run.c`; google/sentencepiece v0.2.0, `bpe_model.cc`
(`SampleEncode`) and `normalizer.cc`. SentencePiece writes blanks as U+2581 and reads that character as a blank.
"""
import hashlib
import json
import struct
import sys
from array import array
from pathlib import Path

FOLDER = sys.path.pop(0)  # It holds a file with the name of a module imported next.

import importlib.util

GOLDENS = Path(__file__).resolve().parents[2] / "Tests/TokenizersTests/Goldens"
COLLECTIONS = ["cl15/agnews", "superni15/task363_sst2_polarity_classification", "extra/korean_kornlu",
               "extra/code_humaneval"]
COUNT = 60  # Texts of each collection.
TEXTS = [
    "<s>", "\n<s>\n</s>\n", "<unk>", " once upon a time", "Once upon a time, there was a little girl named Lily.",
    "\u2581a", "a\u200ab\u2122", "<0x0A>", "  \n ", "the  the   the", "\U0001f600\u0301",
    "    return  x", "\tif a:\n        b  =  1", " " * 17 + "x" + " " * 33 + "y", "a" + " " * 6,
]
SPECIAL = ["<s>", "</s>", "<unk>"]  # SentencePiece leaves them to the user.


def families():
    """The script beside this one that has the texts."""
    spec = importlib.util.spec_from_file_location("families", Path(FOLDER) / "tokenizers_families.py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, "")  # The module takes one entry away, as it does when it is started.
    spec.loader.exec_module(module)
    return module


class Scores:
    """Pieces with their scores; `blank` is what stands for a blank in them."""

    def __init__(self, pieces, blank):
        self.pieces = [piece for piece, _ in pieces]
        self.scores = [score for _, score in pieces]
        self.ids = {piece: number for number, piece in enumerate(self.pieces)}
        self.blank = blank

    def encode(self, text):
        ids = []
        for character in (" " + text if text else "").replace(" ", self.blank):
            known = self.ids.get(character)
            ids += [byte + 3 for byte in character.encode()] if known is None else [known]
        while True:
            best, place, piece = -1e10, None, None
            for start in range(len(ids) - 1):
                found = self.ids.get(self.pieces[ids[start]] + self.pieces[ids[start + 1]])
                if found is not None and self.scores[found] > best:
                    best, place, piece = self.scores[found], start, found
            if place is None:
                return [1] + ids
            ids[place:place + 2] = [piece]

    def decode(self, ids):
        content = b""
        for number in ids[1:]:
            content += bytes([number - 3]) if 3 <= number < 259 else self.pieces[number].replace(self.blank, " ").encode()
        return content.decode()[1:]


def llama2c(path):
    content, pieces, place = path.read_bytes(), [], 4
    while place < len(content):
        score, length = struct.unpack_from("<fi", content, place)
        pieces.append((content[place + 8:place + 8 + length].decode(), score))
        place += 8 + length
    return Scores(pieces, " ")


def llama2(path):
    rows = [line.split("\t") for line in path.read_bytes().decode().split("\n") if line]
    return Scores([(row[1], float(row[2])) for row in rows], "\u2581")


def write(name, tokenizer, texts, corpora):
    cases = [{"text": text, "ids": tokenizer.encode(text)} for text in texts]
    digests = []
    for collection, every in corpora.items():
        content, tokens = hashlib.sha256(), 0
        for text in every:
            ids = tokenizer.encode(text)
            assert tokenizer.decode(ids) == text
            content.update(array("i", [len(ids)] + ids).tobytes())
            tokens += len(ids)
        digests.append({"collection": collection, "texts": len(every), "tokens": tokens, "sha256": content.hexdigest()})
    lines = [",\n".join("    " + json.dumps(row) for row in rows) for rows in (cases, digests)]
    (GOLDENS / name).write_text(f'{{\n  "cases": [\n{lines[0]}\n  ],\n  "corpora": [\n{lines[1]}\n  ]\n}}\n')


def main():
    data, shared = Path(sys.argv[1]), families()
    corpora = {collection: [text for first, _ in shared.texts(data, collection) for text in first][:COUNT]
               for collection in COLLECTIONS}
    texts = shared.TEXTS + TEXTS
    write("llama2c.json", llama2c(data / "tokenizers/stories260k/tok512.bin"), texts, corpora)
    texts = [text for text in texts if not any(token in text for token in SPECIAL)]
    write("sentencepiece.json", llama2(data / "tokenizers/llama/tokenizer.vocab.tsv"), texts, corpora)


if __name__ == "__main__":
    main()
