#!/usr/bin/env python3
"""Writes what huggingface/tokenizers makes of tricky texts and of whole corpora.

Usage: tokenizers.py MINILM_FOLDER DATA_FOLDER     (tokenizers 0.23.3)
"""
import sys

sys.path.pop(0)  # This folder holds a file with the name of the module imported next.

import gzip
import hashlib
import json
from array import array
from pathlib import Path

import tokenizers
from tokenizers import BertWordPieceTokenizer, Tokenizer

GOLDENS = Path(__file__).resolve().parents[2] / "Tests/TokenizersTests/Goldens"
CORPORA = ["cl15/*/*.jsonl.gz", "superni15/*/*.jsonl.gz", "extra/korean_kornlu/*.jsonl.gz",
           "extra/code_edits_pie/*.jsonl.gz", "extra/code_humaneval/*.jsonl.gz",
           "extra/math_gsm8k/*.jsonl.gz", "extra/math_rl/*.jsonl.gz"]
# Fields outside cl15 that hold text; where two stand side by side they make a pair.
FIELDS = [["input"], ["first", "second"], ["premise", "hypothesis"], ["source", "target"], ["prompt"],
          ["question", "answer"], ["problem", "answer"]]
CORPUS_MAX_TOKENS = 65  # Odd, so that it matters which of a pair counts as the longer.

SINGLE = [
    "", " ", "\t\n\r", "a", "Hello world", "The QUICK brown fox; jumps!", "  two  spaces\nand a newline ",
    "unaffable", "internationalization of tokenizers", "don't won't can't they've I'm we're it's",
    "naïve café résumé façade coöperate", "Ångström ÅNGSTRÖM A\u030angstro\u0308m", "El Niño jalapeño piñata",
    "e\u0301 e\u0301\u0302 \u0301e", "q\u0323\u0307 q\u0307\u0323", "ẛ̣ ṩ s\u0307\u0323", "Việt Nam đồng Đà Nẵng",
    "İstanbul I ı İ i\u0307", "straße STRASSE ẞ ß", "ﬁne ﬂow eﬃcient ﬃ ﬅ", "ΣΊΣΥΦΟΣ σίσυφος Σ ς", "Ǆ ǅ ǆ Ǉ ǈ ǉ",
    "ΑΒΓ αβγ ἀρχή Ὀδυσσεύς ᾳ ᾼ", "Привет, мир! Ёлка ёлка й и\u0306", "Բարեւ աշխարհ և", "გამარჯობა ᲒᲐᲛᲐᲠᲯᲝᲑᲐ",
    "Ꭰ Ᏸ ꭰ ᏸ", "שָׁלוֹם עולם", "مرحبا بالعالم مُحَمَّد", "नमस्ते दुनिया क़ ज़", "ந\u0bbeன் தமிழ் கொ", "สวัสดีชาวโลก ำ",
    "ພາສາລາວ", "မြန်မာ", "ភាសាខ្មែរ", "བོད་སྐད་ ཱི", "ᠮᠣᠩᠭᠣᠯ \u1885\u1886", "አማርኛ ፡ ።", "\u1734 ᜀ\u1734",
    "你好,世界", "中文和English混合123", "繁體中文測試。", "日本語のテキスト、ひらがなカタカナ", "がぎぐ か\u3099 パ ﾊﾟ", "漢字かな交じり文",
    "\uf900\uf901 \U0002f800 \U00020000\U0002a6df", "\U0002b820\U0002b91f\U0002b920\U0002ceaf\U0002ceb0", "㐀㏿䶿䷀一鿿ꀀ",
    "안녕하세요 세계", "한국어 토큰화", "\u1112\u1161\u11ab\u1100\u1173\u11af", "각갂갃 힣", "ㄱㄴㄷ ㅏㅑ",
    "😀 smile 😂😂", "👨‍👩‍👧‍👦 family", "🏳️‍🌈 🇩🇪 👍🏽", "☃ ☃️ ✂ ❤️", "zero\u200bwidth\u200cjoin\u200dner\ufeff",
    "soft\u00adhyphen", "a\u0000b\u0001c\u007fd\u0085e", "a\ufffdb \ufffd", "a\u00a0b\u2003c\u3000d\u1680e\u202ff",
    "line\u2028sep\u2029par", "\u200e\u200fbidi\u202etext\u202c",
    "\ue000private\uf8ff \U000f0000", "\ufdd0 \uffff \U0001fffe",
    "a\vb\fc", "…—–‐‑‒―", "“quoted” ‘single’ «guillemets» „low“", "¿Qué? ¡Sí!", "§ ¶ † ‡ • ‰ ′ ″", "¢£¤¥€₿", "©®™ ª º",
    "½ ¼ ⅓ ² ³ ₂", "x² + y² = z²", "∀x∈ℝ: ∑ᵢ xᵢ ≤ ∞", "ℌ ℍ Å Ω K", "α+β=γ ∂f/∂x", "→ ⇒ ⟨ ⟩ ⌈ ⌉", "①②③ Ⅳ ⅳ",
    "Ｆｕｌｌ ｗｉｄｔｈ！？", "ᵃᵇᶜ ʰ ˈ ˌ", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝐁𝐨𝐥𝐝 𝟙𝟚", "𐐀𐐨 𐐁", "𞤀𞤢 𞤁", "Ⱥ Ɐ ⱥ Ꜳ ꜳ", "\u1e9e \u01c5 \u03f4 \u2126 \u212a",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "$100 ^caret^ `tick` |pipe| ~tilde~ <tag> a=b+c", "snake_case camelCase kebab-case",
    "3.14159 1,000,000 1e-10 0xFF", "C++ C# F# .NET",
    "user@example.com https://example.com/a?b=c&d=e#f", "@user #hashtag",
    "def f(x):\n    return x ** 2  # square",
    "for (int i = 0; i < n; ++i) { a[i] += b[i]; }", "\\frac{1}{2} \\alpha_{i}^{2}",
    "a" * 99, "a" * 100, "a" * 101, "é" * 100, "é" * 101,
    "e\u0301" * 100, "e\u0301" * 101, "가" * 33, "가" * 34, "가" * 51,
    "supercalifragilisticexpialidocious" * 3, "x" * 250 + " y", "word " * 40, "~" * 120, "\u0301" * 120 + "a",
    "unknown ⺀⺁ ꙮ word ꙮword", "##ing # # ##", "[ CLS ] [cls] [Cls] CLS", "[CLS] text [SEP]", "a[SEP]b", "[MASK]",
    "The capital of France is [MASK].", "[MASK][MASK] [MASK", "[[MASK]]", "[PAD] [UNK] [unused0]", "[SEP] [sep] ［SEP］",
    "[SE[SEP]P]", "\u0301[SEP]\u0301a",
    "pre[UNK]post", "\u166d \u111c9 \U000111c9", "\u061d \u1b7d \u2e43 \u2e52 \U00010ead",
    "\u08d4 \u0af9 \u1abe \U0001e000a \U0001d165\U0001d16d",
    "\U0001d15e \U0001d160 musical", "a\u302e\u302fb \u302f\u302e",
    "\u0f71\u0f72\u0f74 \u0f73", "\u0344 \u0340 \u0374 \u037e \u0387", "\ufb1d \ufb2a \ufb4e", "\u2adc \u226e \u2260",
    "\U0001109a \U0001112e \U000114bb \U000115ba \U00011938",
    "\U000105c9 \U00016121 \U0001134b", "\U0001171e\ua9bd \ua9bda",
    "\u1c80 \u1c89 \ua7cb \ua7d2 \U00010d50", "\u10a0 \u2d00 \u13a0 \uab70", "\u2c2f \u2c5f \ua7c0", "ſ ſt K ϐ ϑ ϰ",
    "Crème brûlée's price: €4.50 — 20% off!!!", "“Don’t”—she said…", "I don't know; do not ask. Is it? Yes!",
    "the cat 's toy , and n't", "It 's fine , do n't worry .", "1 . 5 ? 2 ! 3 , 4", "( a ) [ b ] { c } ' d ' \" e \"",
]
PAIRS = [
    ("", ""), ("a", ""), ("", "b"), ("How old are you?", "I'm 6 years old."), ("first [SEP] text", "[CLS] second"),
    ("Премис", "가설"), ("one two three four five six", "seven"), ("one", "two three four five six seven eight nine"),
    ("unaffable internationalization tokenizers", "supercalifragilisticexpialidocious words"),
    ("a b c d e f g h i j k l m n o p", "supercalifragilisticexpialidocious ok"),
    ("a b c d e f g h i j", "k l m n o p q r s t"),
    ("[MASK] [MASK] [MASK] [MASK] a b c", "[SEP][SEP] supercalifragilistic"),
]
LIMITS = [3, 4, 5, 6, 7, 8, 9, 12, 16]
VARIANTS = {  # name: (strip_accents, lowercase, handle_chinese_chars)
    "cased": (None, False, True), "accents": (False, True, True), "stripped": (True, False, False),
}


def encoding(tokenizer, first, second, limit):
    if limit is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(limit)
    return tokenizer.encode(first, second)


def case(tokenizer, name, first, second=None, limit=None):
    result = encoding(tokenizer, first, second, limit)
    record = {"tokenizer": name, "text": first, "ids": result.ids}
    if second is not None:
        record.update(pair=second, segments=result.type_ids)
    if limit is not None:
        record["maxTokens"] = limit
    else:
        record["decoded"] = tokenizer.decode(result.ids, skip_special_tokens=True)
        record["decodedWhole"] = tokenizer.decode(result.ids, skip_special_tokens=False)
    return record


def tricky_cases(minilm, vocabulary):
    cases = [case(minilm, "minilm", text) for text in SINGLE]
    cases += [case(minilm, "minilm", *pair) for pair in PAIRS]
    cases += [case(minilm, "minilm", text, None, n) for text in SINGLE[5:8] + ["a[SEP]b [MASK] unaffable"]
              for n in LIMITS if n < 10]
    cases += [case(minilm, "minilm", *pair, n) for pair in PAIRS for n in LIMITS]
    for name, (accents, lowercase, chinese) in VARIANTS.items():
        variant = BertWordPieceTokenizer(
            vocabulary, strip_accents=accents, lowercase=lowercase, handle_chinese_chars=chinese)
        cases += [case(variant, name, text) for text in SINGLE if not text.isascii()]
    return cases


def value(record, path):
    for key in path.split("."):
        record = record[key]
    return record


def text_paths(record):
    """The texts of a record: single fields and pairs of fields."""
    if "pieces" in record:
        keys = ["pieces." + key for key in record["pieces"]]
        return [["text"]] + [keys[i:i + 2] for i in range(0, len(keys), 2)]
    return [keys for keys in FIELDS if all(isinstance(record.get(key), str) for key in keys)]


def corpus_golden(path, data, minilm, bert):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        records = [json.loads(line) for line in lines]
    paths = text_paths(records[0])
    inputs = []
    for record in records:
        for keys in paths:
            texts = [value(record, key) for key in keys]
            inputs.append(tuple(texts) if len(texts) == 2 else texts[0])
    entry = {"file": str(path.relative_to(data)), "fields": paths, "count": len(inputs)}
    for name, tokenizer in (("minilm", minilm), ("bert", bert)):
        digest = hashlib.sha256()
        tokens = 0
        for result in tokenizer.encode_batch(inputs):
            digest.update(array("i", [len(result.ids)] + result.ids).tobytes())
            tokens += len(result.ids)
        entry[name] = {"tokens": tokens, "sha256": digest.hexdigest()}
    print(entry["file"], entry["count"], entry["minilm"]["tokens"])
    return entry


def write(name, content):
    content = {"source": f"huggingface/tokenizers {tokenizers.__version__}", **content}
    head = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in content.items() if not isinstance(v, list))
    for key, rows in content.items():
        if isinstance(rows, list):
            head += f',\n  "{key}": [\n' + ",\n".join("    " + json.dumps(row) for row in rows) + "\n  ]"
    (GOLDENS / name).write_text("{\n" + head + "\n}\n")


def main():
    model, data = Path(sys.argv[1]), Path(sys.argv[2])
    vocabulary = str(data / "tokenizers/bert/vocab.txt")
    minilm = Tokenizer.from_file(str(model / "tokenizer.json"))
    minilm.no_padding()
    write("tricky.json", {"cases": tricky_cases(minilm, vocabulary)})
    minilm.no_truncation()
    bert = BertWordPieceTokenizer(vocabulary)
    bert.enable_truncation(CORPUS_MAX_TOKENS)
    files = sorted(path for pattern in CORPORA for path in data.glob(pattern))
    files = [path for path in files if path.name.split(".")[0] in ("train", "test") or "extra/k" in str(path)
             or "math_rl" in str(path)]
    write("corpora.json", {
        "bertMaxTokens": CORPUS_MAX_TOKENS, "files": [corpus_golden(path, data, minilm, bert) for path in files]})


if __name__ == "__main__":
    main()
