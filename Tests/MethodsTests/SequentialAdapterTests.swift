import Adapters
import Continual
import Foundation
import Methods
import NN
import Streams
import TestSupport
import Testing
import Torch

@Suite struct SequentialAdapterTests {
  private static let cases = SequentialAdapter.Kind.allCases.flatMap { kind in
    ["bert-tiny", "t5-tied", "llama-grouped"].map { (kind, $0) }
  }

  private func toy(
    _ kind: SequentialAdapter.Kind, _ name: String, length: Int = 3, textLength: Int = 6
  ) throws -> Toy {
    let configuration = configured(SequentialAdapter.Configuration.self) {
      ($0.kind, $0.width, $0.length) = (kind, 4, length)
    }
    let isEncoder = name == "bert-tiny"
    return try Toy(
      isEncoder ? try Trace.model() : try PromptToy.model(name),
      train: (0..<2).map {
        isEncoder ? Toy.examples($0, seed: UInt64($0), length: textLength) : PromptToy.examples($0)
      },
      settings: { ($0.learningRate, $0.epochs) = (0.05, 8) }
    ) { [SequentialAdapter(configuration, learner: $0)] }
  }

  @Test(arguments: cases) func onlyTheAdapterTrainsAndItLearns(_ kind: SequentialAdapter.Kind, _ name: String) throws {
    let toy = try toy(kind, name)
    let backbone = toy.parameters.snapshot { $0.role == .backbone }
    var start: [String: Tensor] = [:]
    toy.recorder.onBegin = { if $0 == 0 { start = toy.parameters.snapshot { $0.role == .adapter } } }
    try toy.trainer.run()
    #expect(areSame(backbone, toy.parameters.snapshot { $0.role == .backbone }))
    let trained = toy.parameters.snapshot { $0.role == .adapter }
    #expect(!start.isEmpty && start.keys == trained.keys, "one adapter for both experiences")
    for (name, before) in start { #expect(before.values() != trained[name]?.values(), "\(name)") }
    let touched = toy.learner.touched.filter { !$0.hasPrefix("heads.") }
    #expect(touched == Set(trained.keys))
    let losses = toy.recorder.losses
    #expect(losses.count == 32 && losses[14] + losses[15] < losses[0] + losses[1], "\(losses)")
  }

  @Test(arguments: ["t5-tied", "llama-grouped"]) func whatPEFTKnowsGoesOutAndComesIn(_ name: String) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jay-adapter-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for kind in [SequentialAdapter.Kind.ia3, .prefix, .prompt] {
      let toy = try toy(kind, name)
      try toy.trainer.run()
      try PEFT.write(toy.parameters, for: name == "t5-tied" ? .encoderDecoder : .decoder, to: folder)
      let other = try PromptToy.model(name)
      _ = try AdapterSet(peft: folder, index: 0, in: other.parameters)
      #expect(
        areSame(
          toy.parameters.snapshot { $0.role == .adapter }, other.parameters.snapshot { $0.role == .adapter }), "\(kind)"
      )
    }
    let toy = try toy(.bottleneck, name)
    try toy.trainer.run()
    #expect(throws: PEFTError.noForm(["Bottleneck"])) { try PEFT.write(toy.parameters, for: .decoder, to: folder) }
  }

  /// The tiny BERT reads 40 tokens.
  @Test(arguments: [SequentialAdapter.Kind.prefix, .prompt])
  func whatStandsInFrontOfATextNeedsRoom(_ kind: SequentialAdapter.Kind) throws {
    let toy = try toy(kind, "bert-tiny", length: 11, textLength: 30)
    #expect(throws: AdapterError.noRoom(prompt: 11, text: 30, limit: 40)) { try toy.trainer.run() }
  }
}
