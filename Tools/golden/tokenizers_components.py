#!/usr/bin/env python3
"""Writes what single components of huggingface/tokenizers make of texts, and small models with their options.

Usage: tokenizers_components.py     (tokenizers 0.23.3)
"""
import sys

sys.path.pop(0)  # This folder holds a file with the name of the module imported next.

import json
from pathlib import Path

from tokenizers import Tokenizer

GOLDENS = Path(__file__).resolve().parents[2] / "Tests/TokenizersTests/Goldens"
TEXTS = [
    "Hello World", "  two  spaces\t\n", "naïve ﬁne Ａ① ½ Å e\u0301 q\u0323\u0307", "İstanbul ΣΊΣΥΦΟΣ STRASSE ẞ Ǆ",
    "안녕 \u1112\u1161\u11ab がか\u3099 ﷺ", "a\u0001b\u200bc\ufeffd\u2581e\u3000f\u008f", "it's 12½ a_b, c--d!! (x) $5 «ja»",
    "नमस्ते क्षि \u1cf2 \u08d4 \u0897", "३४ Ⅷ x² 10,000", "---", "a-b--c---d", "👍🏽 ☃️ 𝟙𝐁", "\U00011de0\u088f\ua7f1 \u1885",
    "\u1113\u1169\u1100\u1176\uac00\u11c3\uac00\u11a7\uac00\u11a8", "",
    "<|startoftext|>they'll've 12!!'s <|startoftext|<|endoftext|>x'S \u00a0\r\n 'dé",
]
NORMALIZERS = [{"type": name} for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt")] + [
    {"type": "Strip", "strip_left": left, "strip_right": right} for left, right in ((1, 0), (0, 1), (1, 1))]
NORMALIZERS = [{key: bool(value) if key != "type" else value for key, value in part.items()} for part in NORMALIZERS]
NORMALIZERS += [
    {"type": "Prepend", "prepend": "▁"},
    {"type": "Replace", "pattern": {"String": "--"}, "content": "+"},
    {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"},
    {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
    {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}]},
]
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
CLIP_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
METASPACE = {"type": "Metaspace", "replacement": "▁"}
PRE_TOKENIZERS = [
    {"type": "Split", "pattern": {"String": "-"}, "behavior": behavior, "invert": invert}
    for behavior in BEHAVIORS for invert in (False, True)
] + [{"type": "Punctuation", "behavior": behavior} for behavior in BEHAVIORS] + [
    {"type": "Digits", "individual_digits": individual} for individual in (False, True)
] + [{**METASPACE, "prepend_scheme": scheme, "split": split}
     for scheme in ("always", "never", "first") for split in (False, True)
] + [{"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}
     for prefix in (False, True) for regex in (False, True)] + [
    {"type": "Whitespace"}, {"type": "WhitespaceSplit"}, {"type": "BertPreTokenizer"},
    {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Digits", "individual_digits": True}]},
    {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {**METASPACE, "prepend_scheme": "first"}]},
] + [{"type": "Split", "pattern": {"Regex": tokens + CLIP_PATTERN}, "behavior": "Removed", "invert": True}
     for tokens in ("", r"<\|startoftext\|>|<\|endoftext\|>|")]
PARTS = [["▁Hello", "▁wor", "ld", "▁", "!"], ["<0xE2>", "<0x98>", "<0x83>", "x", "<0xFF>", "<0x41>", "▁"], ["Ġcaf", "Ã©", "é", "Ġ€"],
         ["low</w>", "er</w>", "est"], ["un", "##aff", "##able", ",", "do", "not", "'", "s"], ["  a ", " b", "c "]]
DECODERS = [
    {**METASPACE, "prepend_scheme": "always", "split": True}, {**METASPACE, "prepend_scheme": "never", "split": True},
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, {"type": "ByteFallback"},
    {"type": "Fuse"}, {"type": "BPEDecoder", "suffix": "</w>"}, {"type": "WordPiece", "prefix": "##", "cleanup": True},
    {"type": "WordPiece", "prefix": "##", "cleanup": False}, {"type": "Strip", "content": " ", "start": 1, "stop": 1},
    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
    {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                                      {"type": "ByteFallback"}, {"type": "Fuse"},
                                      {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
WORDS = ["<unk>", "a", "b", "c", "ab", "abc", "bc", "▁", "▁a", "é"]


def bpe(pieces, merges, **options):
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {piece: index for index, piece in enumerate(pieces)}, "merges": merges, **options}


def unigram(pieces, **options):
    return {"type": "Unigram", "unk_id": 0, "byte_fallback": False,
            "vocab": [[piece, -1.5 * index / 2] for index, piece in enumerate(pieces)], **options}


MERGES = [["b", "c"], ["a", "b"], ["ab", "c"], ["▁", "a"]]
CLIP = ["a", "b", "a</w>", "b</w>", "ab</w>", "aa", "<unk>"]
PREFIXED = ["a", "b", "##a", "##b", "ab", "##ba", "aba", "<unk>"]
MODELS = [
    bpe(WORDS, MERGES), bpe(WORDS, MERGES, unk_token="<unk>"), bpe(WORDS, MERGES, unk_token="<unk>", fuse_unk=True),
    bpe(WORDS, MERGES, ignore_merges=True), bpe(WORDS + BYTES, MERGES, unk_token="<unk>", byte_fallback=True),
    bpe(CLIP, [["a", "b</w>"], ["a", "a"]], unk_token="<unk>", end_of_word_suffix="</w>"),
    bpe(PREFIXED, [["a", "##b"], ["##b", "##a"], ["ab", "##a"]], unk_token="<unk>", continuing_subword_prefix="##"),
    bpe(WORDS, ["b c", "a b", "ab c"]), unigram(WORDS), unigram(WORDS + BYTES, byte_fallback=True),
]
PIECES = ["abc", "aabcc", "▁abc▁a", "xyz", "axyzb", "é", "aéé", "안a", "aab", "b", "", "abababcab", "<unk>a", "aba"]


def tokenizer(**parts):
    content = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
               "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": MODELS[0], **parts}
    return Tokenizer.from_str(json.dumps(content))


def main():
    content = {
        "normalizers": [{"json": json.dumps(part), "texts": TEXTS, "results": [
            [tokenizer(normalizer=part).normalizer.normalize_str(text)] for text in TEXTS]} for part in NORMALIZERS],
        "pre_tokenizers": [{"json": json.dumps(part), "texts": TEXTS, "results": [
            [piece for piece, _ in tokenizer(pre_tokenizer=part).pre_tokenizer.pre_tokenize_str(text)]
            for text in TEXTS]} for part in PRE_TOKENIZERS],
        "decoders": [{"json": json.dumps(part), "texts": [json.dumps(parts) for parts in PARTS], "results": [
            [tokenizer(decoder=part).decoder.decode(parts)] for parts in PARTS]} for part in DECODERS],
        "models": [{"json": json.dumps(part), "texts": PIECES, "results": [
            [str(token) for token in tokenizer(model=part).encode(text).ids] for text in PIECES]} for part in MODELS],
    }
    lines = [json.dumps({"kind": kind, **case}) for kind, cases in content.items() for case in cases]
    (GOLDENS / "components.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
