import NN
import TestSupport
import Testing
import Torch

@testable import Adapters

@Suite struct PromptPoolTests {
  private let store = ParameterStore()

  /// Three prompts of two vectors each, of which texts read two; keys point along the axes.
  private func pool() throws -> PromptPool {
    let scope = Scope(store: store, dtype: .float32, device: .cpu, seed: 1)
    let slot = PromptSlot(Embedding(10, 3, in: scope / "words"), in: scope)
    let pool = PromptPool(on: slot, .init(prompts: 3, length: 2, chosen: 2), index: 0, seed: 5, in: store)
    pool.keys.assign(matrix([[2, 0, 0], [0, 3, 0], [0, 0, 0.5]]))
    pool.vectors.assign(Tensor((0..<18).map(Float.init), shape: [3, 2, 3]))
    return pool
  }

  /// Two texts of two tokens; the second's last is padding.
  private let texts = Tensor([1, 0, 0, 3, 0, 3, 0, 4, 3, 9, 9, 9] as [Float], shape: [2, 2, 3])
  private let mask = Tensor([1, 1, 1, 0] as [Float], shape: [2, 2])

  @Test func eachTextReadsThePromptsOfItsBestKeys() throws {
    let prompts = try pool()(texts, mask: mask, .evaluation)
    // The means are along [4, 0, 3] and [0, 4, 3].
    #expect(
      prompts.reshaped(2, -1).values()
        == [0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17] + [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17])
  }

  @Test func theMatchIsTheMeanSumOfTheChosenCosines() throws {
    let pool = try pool()
    _ = pool(texts, mask: mask, .evaluation)
    #expect(pool.takeMatch() == nil)
    _ = pool(texts, mask: mask, .training(Generator(seed: 0)))
    #expect(abs(try #require(pool.takeMatch()).item() - 1.4) < 1e-6)
    #expect(pool.takeMatch() == nil)
  }

  @Test func onlyChosenPromptsAndKeysLearn() throws {
    let pool = try pool()
    for parameter in pool.parameters { parameter.isTrainable = true }
    let prompts = pool(texts.narrowed(0, 0..<1), mask: nil, .training(Generator(seed: 0)))
    (prompts.sum() + (try #require(pool.takeMatch()))).backward()
    let vectors = try #require(pool.vectors.gradient), keys = try #require(pool.keys.gradient)
    #expect(vectors.values() == [Float](repeating: 1, count: 6) + [0, 0, 0, 0, 0, 0] + [1, 1, 1, 1, 1, 1])
    #expect(keys.at(0, 1).values() == [0, 0, 0] && keys.at(0, 0).values() != [0, 0, 0])
  }

  @Test func promptsStartAsWordsAndLaterOnesStandFirst() throws {
    let scope = Scope(store: store, dtype: .float32, device: .cpu, seed: 1)
    let slot = PromptSlot(Embedding(10, 3, in: scope / "words"), in: scope)
    let first = SoftPrompt(on: slot, count: 2, index: 0, seed: 5, in: store)
    let second = SoftPrompt(on: slot, count: 1, index: 1, seed: 5, in: store)
    let rows = Set((0..<10).map { slot.words.weight.master.at(0, $0).values() })
    for row in 0..<2 { #expect(rows.contains(first.vectors.master.at(0, row).values())) }
    let prompts = try #require(slot(texts, mask: mask, .evaluation))
    #expect(prompts.shape == [2, 3, 3])
    #expect(areSame(prompts.at(0, 1), .concatenated([second.vectors.value, first.vectors.value])))
  }

  @Test func aModelWithoutASlotTakesNoPrompt() {
    let error = #expect(throws: AdapterError.self) { try AdapterSet(prompt: 2, index: 0, seed: 1, in: Layers().store) }
    #expect(
      error?.errorDescription
        == "this model has no place for soft prompts or prefixes. Choose another method, or another model.")
  }
}
