public import Tokenizers

/// How documents become the rows that a language model is pretrained on.
public struct DocumentForm: Sendable {
  /// Tokens of a row.
  public let length: Int
  public let packing: Packing
  /// The ids of a document with what stands around it.
  public let document: @Sendable ([Int32]) -> [Int32]
  /// Whether a row has something to be learned from; others are left out.
  public let teaches: @Sendable (TokenizedExample) -> Bool

  public init(
    length: Int, packing: Packing, teaches: @escaping @Sendable (TokenizedExample) -> Bool = { _ in true },
    document: @escaping @Sendable ([Int32]) -> [Int32]
  ) {
    (self.length, self.packing, self.teaches, self.document) = (length, packing, teaches, document)
  }
}

extension TokenizedExperience {
  /// Tokenizes the texts of an experience as documents, pairs and prompts as their parts read one behind the other, and
  /// cuts them into rows.
  public init(_ experience: Experience, tokenizer: any Tokenizer, form: DocumentForm) {
    func tokenize(_ dataset: Dataset) -> [TokenizedExample] {
      let texts = dataset.examples.map { ([$0.text] + [$0.pair].compactMap { $0 }).joined(separator: "\n") }
      let documents = tokenizer.encodeAll(texts.map { ($0, nil) }).map { form.document($0.ids) }
      // A row of one token has nothing to be predicted from.
      let rows = form.packing.rows(documents, length: form.length).filter { $0.tokens.count > 1 }
      return rows.enumerated().map { index, row in
        var example = TokenizedExample(
          id: "\(dataset.name):\(index + 1)", tokens: row.tokens, firstLength: row.tokens.count, target: -1,
          experience: experience.index)
        example.documents = row.documents
        return example
      }.filter(form.teaches)
    }
    self.init(
      train: tokenize(experience.train), validation: tokenize(experience.validation), test: tokenize(experience.test))
  }
}
