import NN
import TestSupport
import Testing
import Torch

@testable import Models

/// Layers that run over the tokens of a batch alone give what they give over its padding too.
@Suite struct UnpaddedTests {
  private let texts: [[Int64]] = [[5, 9, 11], [30, 31, 7, 40, 41, 42, 8], [12]]

  private func batch(_ rows: [[Int64]], onTheLeft: Bool = false) -> DeviceBatch {
    let length = rows.map(\.count).max() ?? 0, shape = [rows.count, length]
    func laid<Value>(_ row: [Value], _ padding: Value) -> [Value] {
      let rest = Array(repeating: padding, count: length - row.count)
      return onTheLeft ? rest + row : row + rest
    }
    return DeviceBatch(
      tokens: Tensor(rows.flatMap { laid($0, 0) }, shape: shape), segments: .zeros(shape, dtype: .int64),
      mask: Tensor(rows.flatMap { laid($0.map { _ in Float(1) }, 0) }, shape: shape), lengths: rows.map(\.count),
      targets: [], experiences: [], candidates: [], candidateSets: [])
  }

  private var padding: Mode {
    let mode = Mode.evaluation
    mode.keepsPadding = true
    return mode
  }

  /// States `[rows, length, width]` of both ways, and the gradients of all weights.
  private func check(
    _ store: ParameterStore, _ batch: DeviceBatch, _ read: (DeviceBatch, Mode) -> Tensor
  ) throws {
    for parameter in store.all { parameter.isTrainable = true }
    let mask = try #require(batch.mask).unsqueezed(2)
    func run(_ mode: Mode) -> (states: Tensor, gradients: [String: Tensor]) {
      store.clearGradients()
      let states = read(batch, mode) * mask
      (states * states).sum().backward()
      return (
        states.detached(),
        Dictionary(uniqueKeysWithValues: store.all.compactMap { p in p.gradient.map { (p.name, $0) } })
      )
    }
    let whole = run(padding), packed = run(.evaluation)
    #expect(difference(packed.states, whole.states, atol: 1e-4) == nil)
    #expect(!whole.gradients.isEmpty && packed.gradients.keys == whole.gradients.keys)
    for (name, gradient) in whole.gradients {
      let size = Double(gradient.norm(2).item())
      let gap = try difference(#require(packed.gradients[name]), gradient, atol: 1e-3 * max(size, 1e-3))
      #expect(gap == nil, "\(name)")
    }
  }

  @Test(arguments: ["bert-tiny", "roberta-tiny"], [false, true]) func ofEncoders(_ name: String, onTheLeft: Bool) throws
  {
    let model = try Golden.url(name).load()
    try check(model.parameters, batch(texts, onTheLeft: onTheLeft)) { model.hidden($0, $1) }
  }

  @Test(arguments: ["llama-grouped", "llama-window", "llama-qwen3"], [false, true])
  func ofDecoders(_ name: String, onTheLeft: Bool) throws {
    let loaded = try ModelIndex.loadCausal(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
    try check(loaded.parameters, batch(texts, onTheLeft: onTheLeft)) {
      loaded.model.hidden($0.tokens, mask: $0.mask, cache: nil, $1)
    }
  }

  @Test(arguments: ["t5-tied", "t5-gated"], [false, true]) func ofEncoderDecoders(_ name: String, onTheLeft: Bool)
    throws
  {
    let loaded = try ModelIndex.loadSequenceToSequence(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
    let batch = batch(texts, onTheLeft: onTheLeft), written = batch.tokens
    try check(loaded.parameters, batch) { batch, mode in
      let encoded = loaded.model.encode(batch.tokens, mask: batch.mask, mode)
      return loaded.model.decode(written, encoded: encoded, mask: batch.mask, cache: nil, mode)
    }
  }

  @Test func paddingLeavesAndComesBackAsZeros() throws {
    let x = Tensor((1...12).map { Float($0) }, shape: [2, 3, 2])
    let mask = Tensor([1, 1, 0, 0, 1, 1] as [Float], shape: [2, 3])
    let texts = try #require(Unpadded(x, mask: mask, .evaluation))
    #expect(texts.starts == [0, 2, 4] && texts.rowsOfTokens.scalars(Int64.self) == [0, 0, 1, 1])
    #expect(texts.packed(x).values() == [1, 2, 3, 4, 9, 10, 11, 12])
    #expect(texts.padded(texts.packed(x)).values() == [1, 2, 3, 4, 0, 0, 0, 0, 9, 10, 11, 12])
    #expect(try #require(Unpadded(x, mask: nil, .evaluation)).starts == [0, 3, 6])
  }

  @Test func paddingStaysWhereItIsCountedOrLiesWithinAText() {
    let x = Tensor.zeros([2, 3, 2]), holed = Tensor([1, 1, 1, 1, 0, 1] as [Float], shape: [2, 3])
    #expect(Unpadded(x, mask: holed, .evaluation) == nil)
    #expect(Unpadded(x, mask: nil, padding) == nil)
    #expect(Unpadded(x.to(.float16), mask: nil, .evaluation) == nil)
  }

  @Test func tapsSeeRealTokensOnlyUnlessPaddingIsKept() throws {
    let model = try Golden.url("bert-tiny").load(), linears = model.parameters.linears
    func sums(_ batches: [DeviceBatch], keepsPadding: Bool) -> [[Float]] {
      for linear in linears {
        linear.output.reset()
        linear.output.isRecording = true
      }
      for batch in batches { _ = model.hidden(batch, .training(Generator(seed: 0), keepsPadding: keepsPadding)) }
      return linears.map { $0.output.magnitude?.values() ?? [] }
    }
    let together = sums([batch(texts)], keepsPadding: false)
    let alone = sums(texts.map { batch([$0]) }, keepsPadding: false)
    let padded = sums([batch(texts)], keepsPadding: true)
    for (index, linear) in linears.enumerated() where linear.weight.role == .backbone {
      let count = linear.outputs
      #expect(
        difference(Tensor(together[index]), Tensor(alone[index]), atol: 1e-3, rtol: 1e-4) == nil,
        "\(linear.weight.name)")
      #expect((0..<count).allSatisfy { padded[index][$0] > together[index][$0] })
    }
  }
}
