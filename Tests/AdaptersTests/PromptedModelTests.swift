import Adapters
import Models
import NN
import TestSupport
import Testing
import Torch

/// A prompt made of words' embeddings is those words, read in front of the text.
@Suite struct PromptedModelTests {
  private static let decoders = ["llama-grouped", "llama-tied", "llama-window", "llama-qwen3"]
  private static let words: [Int64] = [7, 21, 3, 50, 9]

  /// Attaches the first two words and then, in front of them, the other three.
  @discardableResult
  private func prompt(_ store: ParameterStore) throws -> [AdapterSet] {
    let table = try #require(store.promptSlot).words
    return try [Self.words.suffix(2), Self.words.prefix(3)].enumerated().map { index, words in
      let set = try AdapterSet(prompt: words.count, index: index, seed: 1, in: store)
      set.parameters[0].assign(table(Tensor(Array(words))))
      return set
    }
  }

  private func behindWords(_ tokens: Tensor) -> Tensor {
    let words = Tensor(Self.words).unsqueezed(0).expanded([tokens.size(0), Self.words.count])
    return .concatenated([words, tokens], 1)
  }

  private func inputs(_ name: String) throws -> (tokens: Tensor, mask: Tensor) {
    let golden = try Golden.load("\(name)/outputs.safetensors")
    return (try #require(golden["input_ids"]), try #require(golden["attention_mask"]).to(.float32))
  }

  private func answerer(_ name: String) throws -> any Generates {
    let url = Golden.url(name)
    if name.hasPrefix("t5") {
      let loaded = try ModelIndex.loadSequenceToSequence(url, dtype: .float32, device: .cpu, seed: 0)
      return Seq2SeqAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [1])
    }
    let loaded = try ModelIndex.loadCausal(url, dtype: .float32, device: .cpu, seed: 0)
    return CausalAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [2])
  }

  @Test(arguments: decoders) func aDecoderReadsThePromptFirst(_ name: String) throws {
    let loaded = try ModelIndex.loadCausal(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
    let (tokens, mask) = try inputs(name), count = Self.words.count
    let expected = inference {
      loaded.model.hidden(behindWords(tokens), mask: mask.widened(by: count), cache: nil, .evaluation)
    }
    try prompt(loaded.parameters)
    let hidden = inference { loaded.model.hidden(tokens, mask: mask, cache: nil, .evaluation) }
    let real = mask.unsqueezed(2)
    #expect(difference(hidden * real, expected.narrowed(1, count..<expected.size(1)) * real, atol: 1e-5) == nil)
  }

  @Test(arguments: decoders) func aCacheReadsThePromptOnce(_ name: String) throws {
    let loaded = try ModelIndex.loadCausal(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
    let tokens = try inputs(name).tokens.narrowed(0, 0..<1), length = tokens.size(1)
    try prompt(loaded.parameters)
    let whole = inference { loaded.model.hidden(tokens, mask: nil, cache: nil, .evaluation) }
    let cache = KeyValueCache(capacity: length)
    let steps = inference {
      ([0..<3, 3..<5] + (5..<length).map { $0..<$0 + 1 }).map {
        loaded.model.hidden(tokens.narrowed(1, $0), mask: nil, cache: cache, .evaluation)
      }
    }
    #expect(difference(.concatenated(steps, 1), whole, atol: 2e-5) == nil)
    #expect(cache.length == length && cache.prompt == Self.words.count)
  }

  @Test(arguments: ["llama-grouped", "t5-tied"]) func answersAreThoseBehindTheWords(_ name: String) throws {
    let model = try answerer(name)
    let (tokens, mask) = try inputs(name)
    let lengths = mask.sum(1).values().map(Int.init), options: [[Int32]] = [[7, 2], [9, 11, 2], [30]]
    func batch(_ tokens: Tensor, _ mask: Tensor, _ lengths: [Int]) -> DeviceBatch {
      DeviceBatch(
        tokens: tokens, segments: .zeros(tokens.shape, dtype: .int64), mask: mask, lengths: lengths,
        targets: lengths, experiences: lengths, candidates: lengths.map { _ in 0 }, candidateSets: [[]])
    }
    let count = Self.words.count
    let longer = batch(behindWords(tokens), mask.widened(by: count), lengths.map { $0 + count })
    let expected = inference { (model.generate(longer, maxTokens: 6), model.score(longer, answers: options)) }
    try prompt(model.parameters)
    let texts = batch(tokens, mask, lengths)
    let found = inference { (model.generate(texts, maxTokens: 6), model.score(texts, answers: options)) }
    #expect(found.0 == expected.0)
    #expect(difference(found.1, expected.1, atol: 1e-5) == nil)
  }

  @Test(arguments: ["t5-tied", "t5-gated"]) func anEncoderDecoderReadsAPromptBehindThePaddedText(_ name: String) throws
  {
    let loaded = try ModelIndex.loadSequenceToSequence(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
    let (tokens, mask) = try inputs(name), store = loaded.parameters
    func read(_ tokens: Tensor, _ mask: Tensor) -> (encoded: Tensor, decoded: Tensor) {
      inference {
        let encoded = loaded.model.encode(tokens, mask: mask, .evaluation)
        // The decoder reads the mask of the text alone where a prompt is on.
        let written = loaded.model.decode(
          tokens.narrowed(1, 0..<3), encoded: encoded, mask: mask, cache: nil, .evaluation)
        return (encoded, written)
      }
    }
    let words = Tensor(Self.words).unsqueezed(0).expanded([tokens.size(0), Self.words.count])
    let expected = read(.concatenated([tokens, words], 1), mask.widened(by: 0, behind: Self.words.count))
    let table = try #require(store.promptSlot).words
    for (index, part) in [Self.words.prefix(3), Self.words.suffix(2)].enumerated() {
      let set = try AdapterSet(prompt: part.count, at: .behind, index: index, seed: 1, in: store)
      set.parameters[0].assign(table(Tensor(Array(part))))
    }
    let found = read(tokens, mask)
    #expect(difference(found.encoded, expected.encoded, atol: 1e-5) == nil)
    // The decoder of the longer text read its first three tokens too: the same.
    #expect(difference(found.decoded, expected.decoded, atol: 1e-5) == nil)
  }

  @Test(arguments: ["bert-tiny", "roberta-tiny"]) func anEncoderReadsThePromptBeforeTheFirstToken(
    _ name: String
  ) throws {
    let model = try ModelIndex.encoder(
      Golden.url(name), pooling: .mean, dropout: 0, dtype: .float32, device: .cpu, seed: 0)
    // Room for the words: the tiny RoBERTa reads 12 tokens.
    let tokens = try inputs(name).tokens.narrowed(0, 0..<2).narrowed(1, 0..<6), count = Self.words.count
    let segments = Tensor([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1] as [Int64], shape: [2, 6])
    func batch(_ tokens: Tensor, _ segments: Tensor, _ mask: Tensor?) -> DeviceBatch {
      DeviceBatch(
        tokens: tokens, segments: segments, mask: mask, lengths: [6, 5], targets: [0, 0], experiences: [0, 0],
        candidates: [0, 0], candidateSets: [[0]])
    }
    let mask = Tensor([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0] as [Float], shape: [2, 6])
    let before = Tensor.zeros([2, count], dtype: .int64)
    let longer = batch(behindWords(tokens), .concatenated([before, segments], 1), mask.widened(by: count))
    let expected = inference { model.hidden(longer, .evaluation) }
    try prompt(model.parameters)
    let hidden = inference { model.hidden(batch(tokens, segments, mask), .evaluation) }
    let real = mask.unsqueezed(2)
    #expect(difference(hidden * real, expected.narrowed(1, count..<count + 6) * real, atol: 1e-5) == nil)
  }

  @Test func promptsThatAreOffAreNotRead() throws {
    let loaded = try ModelIndex.loadCausal(Golden.url("llama-tied"), dtype: .float32, device: .cpu, seed: 0)
    let tokens = try inputs("llama-tied").tokens
    let read = { inference { loaded.model.hidden(tokens, mask: nil, cache: nil, .evaluation) } }
    let without = read()
    let sets = try prompt(loaded.parameters)
    let both = read()
    #expect(areSame(sets.disabled(read), without) && !areSame(both, without))
    #expect(!areSame(sets[1].disabled(read), both) && areSame(read(), both))
  }

  @Test func aModelWithAPromptHasNoPlainForm() throws {
    let loaded = try ModelIndex.loadCausal(Golden.url("llama-tied"), dtype: .float32, device: .cpu, seed: 0)
    try prompt(loaded.parameters)
    #expect(throws: ExportError.prompt) { try loaded.parameters.mergedBackbone() }
    #expect(
      ExportError.prompt.errorDescription
        == "the model reads a prompt or a prefix, which is no change of its weights. --adapter writes it alone, "
        + "where PEFT has a form for it; 'jay predict' and 'jay evaluate' use the model in the run's folder.")
  }

  /// With a cache or without, a prefix stands before all tokens.
  @Test(arguments: decoders) func aPrefixIsReadAtEveryStep(_ name: String) throws {
    let loaded = try ModelIndex.loadCausal(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
    let tokens = try inputs(name).tokens.narrowed(0, 0..<1), length = tokens.size(1)
    let read = { inference { loaded.model.hidden(tokens, mask: nil, cache: nil, .evaluation) } }
    let without = read()
    let set = try AdapterSet(prefix: 3, index: 0, seed: 1, in: loaded.parameters)
    #expect(set.parameters.count == 2 * loaded.parameters.prefixSlots.count)
    let whole = read(), cache = KeyValueCache(capacity: length)
    #expect(difference(whole, without, atol: 1e-3) != nil && areSame(set.disabled(read), without))
    let steps = inference {
      ([0..<3, 3..<5] + (5..<length).map { $0..<$0 + 1 }).map {
        loaded.model.hidden(tokens.narrowed(1, $0), mask: nil, cache: cache, .evaluation)
      }
    }
    #expect(difference(.concatenated(steps, 1), whole, atol: 2e-5) == nil)
  }
}
