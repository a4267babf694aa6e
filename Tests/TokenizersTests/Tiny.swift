import Foundation

/// A tokenizer of a few words, small enough to read, for tests that need no model.
enum Tiny {
  static let vocabulary = """
    [PAD]
    [UNK]
    [CLS]
    [SEP]
    [MASK]
    the
    cat
    un
    ##aff
    ##able
    .
    ,
    '
    s
    ca
    ##f\u{65}
    e\u{301}
    \u{E9}
    a
    b
    """

  /// A `tokenizer.json` with the vocabulary above; `changes` are made to its text first.
  static func json(_ changes: [(String, String)] = []) -> String {
    let words = vocabulary.utf8.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
    let entries = words.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
    return changes.reduce(template.replacingOccurrences(of: "VOCABULARY", with: entries)) {
      $0.replacingOccurrences(of: $1.0, with: $1.1)
    }
  }

  private static let template = #"""
    {
      "version": "1.0",
      "truncation": {"max_length": 3, "strategy": "LongestFirst", "stride": 0},
      "padding": {"strategy": {"Fixed": 9}, "pad_id": 0},
      "added_tokens": [
        {"id": 4, "content": "[MASK]", "single_word": false, "lstrip": true, "rstrip": false,
          "normalized": false, "special": true},
        {"id": 20, "content": "New York", "single_word": true, "lstrip": false, "rstrip": false,
          "normalized": true, "special": false}
      ],
      "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
        "strip_accents": null, "lowercase": true},
      "pre_tokenizer": {"type": "BertPreTokenizer"},
      "post_processor": {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "B", "type_id": 3}}, {"SpecialToken": {"id": "[SEP]", "type_id": 2}},
          {"Sequence": {"id": "A", "type_id": 1}}],
        "special_tokens": {
          "[CLS]": {"id": "[CLS]", "ids": [2, 5], "tokens": ["[CLS]", "the"]},
          "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}
        }
      },
      "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
      "model": {
        "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 10,
        "vocab": {VOCABULARY}
      }
    }
    """#
}
