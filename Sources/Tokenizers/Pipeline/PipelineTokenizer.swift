/// Normalizer, pre-tokenizer, model, post-processor, decoder: the parts every tokenizer is made of.
struct PipelineTokenizer: Tokenizer {
  let addedTokens: AddedTokens
  let normalizer: (any Normalizer)?
  let preTokenizer: (any PreTokenizer)?
  let model: any Model
  var postProcessor = PostProcessor()
  let decoder: (any Decoder)?
  var specialTokens = SpecialTokens()
  /// Whether a pre-tokenizer asks where a piece comes from, and the bytes alone do not say it.
  private let needsOrigins: Bool
  private let workspaces = WorkspacePool()

  init(
    model: any Model, addedTokens: [AddedTokens.Token], normalizer: (any Normalizer)? = nil,
    preTokenizer: (any PreTokenizer)? = nil, decoder: (any Decoder)? = nil
  ) {
    self.model = model
    self.normalizer = normalizer
    if let mark = (model as? BPE)?.wordMark {
      let steps: [(any PreTokenizer)?] = [preTokenizer, WordStarts(mark: mark)]
      self.preTokenizer = PreTokenizerSequence(steps: steps.compactMap { $0 })
    } else {
      self.preTokenizer = preTokenizer
    }
    self.decoder = decoder
    self.addedTokens = AddedTokens(addedTokens, normalizer: normalizer)
    needsOrigins = preTokenizer?.looksAtOrigins ?? false && (normalizer != nil || preTokenizer is PreTokenizerSequence)
  }

  var vocabularySize: Int { max(model.vocabulary.idBound, Int(addedTokens.largestID ?? -1) + 1) }

  func encode(_ text: String, pair: String?, maxTokens: Int?) -> Encoding {
    var (first, second) = tokens(of: text, pair, tracks: false)
    let keep = kept(first.ids.count, second?.ids.count, maxTokens)
    first.ids.removeSubrange(keep.first...)
    second?.ids.removeSubrange(keep.second...)
    return postProcessor.template.apply(first.ids, second?.ids)
  }

  func encodeWithSpans(
    _ text: String, pair: String?, maxTokens: Int?
  ) -> (encoding: Encoding, spans: [TextSpan?]) {
    var (first, second) = tokens(of: text, pair, tracks: true)
    let keep = kept(first.ids.count, second?.ids.count, maxTokens)
    first.truncate(to: keep.first)
    second?.truncate(to: keep.second)
    let template = postProcessor.template
    return (
      template.apply(first.ids, second?.ids), template.apply(spans: trimmed(first), second.map(trimmed))
    )
  }

  func encodeWithWholeSpans(_ text: String) -> (encoding: Encoding, spans: [TextSpan?]) {
    let (tokens, _) = tokens(of: text, nil, tracks: true)
    let template = postProcessor.template
    return (template.apply(tokens.ids, nil), template.apply(spans: tokens.spans, nil))
  }

  func decode(_ ids: [Int32], skipSpecialTokens: Bool) -> String {
    let texts = ids.compactMap { id in
      skipSpecialTokens && addedTokens.special.contains(id) ? nil : addedTokens[id: id] ?? model.vocabulary[id: id]
    }
    return decoder?.decode(texts).joined() ?? texts.joined(separator: " ")
  }

  /// How many tokens of each text to keep.
  private func kept(_ first: Int, _ second: Int?, _ maxTokens: Int?) -> (first: Int, second: Int) {
    guard let maxTokens else { return (first, second ?? 0) }
    let added = postProcessor.template.addedTokens(toPair: second != nil)
    precondition(
      maxTokens >= added,
      "encode: maxTokens \(maxTokens) leaves no room for the \(added) special tokens the model adds")
    return longestFirst(first, second ?? 0, room: maxTokens - added)
  }

  private func trimmed(_ tokens: TextTokens) -> [Range<Int>] {
    guard let trimming = postProcessor.trimming else { return tokens.spans }
    return tokens.spans.indices.map { index in
      let id = tokens.ids[index]
      let text = addedTokens[id: id] ?? model.vocabulary[id: id] ?? ""
      return trimming.trim(tokens.spans[index], of: text, isFirst: index == 0)
    }
  }
}

/// The tokens of one text, without special tokens around them.
private struct TextTokens {
  var ids: [Int32] = []
  /// Bytes of the text each token comes from; empty where nobody asks.
  var spans: [Range<Int>] = []

  mutating func truncate(to count: Int) {
    ids.removeSubrange(count...)
    spans.removeSubrange(count...)
  }
}

extension PipelineTokenizer {
  private func tokens(
    of text: String, _ pair: String?, tracks: Bool
  ) -> (TextTokens, TextTokens?) {
    workspaces.withWorkspace { workspace in
      let first = tokens(of: text, tracks: tracks, &workspace)
      return (first, pair.map { tokens(of: $0, tracks: tracks, &workspace) })
    }
  }

  private func tokens(of text: String, tracks: Bool, _ workspace: inout Workspace) -> TextTokens {
    let text = Array(text.utf8)
    var result = TextTokens()
    for stretch in addedTokens.splitRaw(text) {
      if let id = stretch.id {
        result.ids.append(id)
        if tracks { result.spans.append(stretch.range) }
      } else {
        let part = stretch.range == text.indices ? text : Array(text[stretch.range])
        appendNormalized(part, at: stretch.range.lowerBound, tracks: tracks, to: &result, &workspace)
      }
    }
    return result
  }

  private func appendNormalized(
    _ part: [UInt8], at start: Int, tracks: Bool, to result: inout TextTokens, _ workspace: inout Workspace
  ) {
    var text = AlignedText(part, at: start, tracks: tracks || needsOrigins)
    normalizer?.normalize(&text)
    for stretch in addedTokens.splitNormalized(text.bytes) {
      if let id = stretch.id {
        result.ids.append(id)
        if tracks { result.spans.append(text.origin(of: stretch.range)) }
      } else {
        let isBeginning = start == 0 && stretch.range.lowerBound == 0
        var pieces = PreTokenizedText(text[stretch.range], isBeginning: isBeginning)
        preTokenizer?.split(&pieces)
        append(pieces, tracks: tracks, to: &result, &workspace)
      }
    }
  }

  private func append(
    _ pieces: PreTokenizedText, tracks: Bool, to result: inout TextTokens, _ workspace: inout Workspace
  ) {
    let text = pieces.text.bytes
    workspace.tokens.removeAll(keepingCapacity: true)
    model.append(pieces.pieces, of: text, in: &workspace)
    result.ids.reserveCapacity(result.ids.count + workspace.tokens.count)
    for token in workspace.tokens { result.ids.append(token.id) }
    if tracks { result.spans += workspace.tokens.map { pieces.text.origin(of: $0.range) } }
  }
}

extension Model {
  /// Puts the tokens of all pieces into the workspace.
  fileprivate func append(_ pieces: [Range<Int>], of text: [UInt8], in workspace: inout Workspace) {
    var tokens: [Token] = []
    swap(&tokens, &workspace.tokens)
    for piece in pieces {
      guard Self.remembersPieces else {
        append(piece, of: text, to: &tokens, in: &workspace)
        continue
      }
      let (isKnown, place) = workspace.cache.append(piece, of: text, to: &tokens)
      if isKnown { continue }
      let first = tokens.count
      append(piece, of: text, to: &tokens, in: &workspace)
      if let place { workspace.cache.remember(piece, of: text, as: tokens[first...], at: place) }
    }
    swap(&tokens, &workspace.tokens)
  }
}
