import Evaluation
import Methods
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual

/// A run that goes on, with fresh objects, from copies of weights, state and moments gives the same bits.
@Suite struct AdapterResumeTests {
  enum Recipe: CaseIterable { case lora, incLoRA, oLoRA, pic, oLoRAMIGU, prefix }

  private func methods(_ recipe: Recipe, _ learner: Learner) -> [any ContinualMethod] {
    switch recipe {
    case .lora: [SequentialLoRA(.init(), learner: learner)]
    case .incLoRA: [IncLoRA(.init(), learner: learner)]
    case .oLoRA: [OLoRA(.init(), learner: learner)]
    case .pic: [PIC(configured { $0.initialisation = .independent }, learner: learner)]
    case .oLoRAMIGU: [OLoRA(.init(), learner: learner), MIGU(.init(), learner: learner)]
    case .prefix: [SequentialAdapter(configured { ($0.kind, $0.length) = (.prefix, 4) }, learner: learner)]
    }
  }

  private func toy(_ recipe: Recipe) throws -> Toy {
    let data = (0..<3).map { Toy.examples($0, count: 12, seed: UInt64($0)) }
    return try Toy(try Trace.model(), train: data, validation: data, settings: { $0.shuffle = true }) {
      methods(recipe, $0)
    }
  }

  @Test(arguments: Recipe.allCases) func resumesToTheSameBits(recipe: Recipe) throws {
    let whole = try toy(recipe), resumed = try toy(recipe)
    whole.recorder.onUpdate = { trainer, optimizer in
      guard trainer.progress.experience == 2, trainer.progress.step == 2 else { return }
      for experience in resumed.learner.stream.experiences {
        resumed.learner.begin(experience)
        for method in resumed.trainer.methods { try method.prepare(experience, learner: resumed.learner) }
      }
      resumed.parameters.restore(trainer.learner.parameters.snapshot())
      resumed.learner.touch(trainer.learner.touched)
      for (copy, original) in zip(resumed.trainer.methods, trainer.methods) {
        var state = original.state
        state.tensors = state.tensors.mapValues { $0.mapValues { $0.clone() } }
        copy.state = state
      }
      resumed.trainer.progress = trainer.progress
      resumed.trainer.progress.optimizerState = optimizer.state.mapValues { $0.clone() }
    }
    try whole.trainer.run()
    try resumed.trainer.run()
    let rest = resumed.recorder.losses
    #expect(rest.count == 4 && Array(whole.recorder.losses.suffix(4)) == rest)
    #expect(areSame(whole.parameters.snapshot(), resumed.parameters.snapshot()))
    for (x, y) in zip(whole.trainer.methods, resumed.trainer.methods) {
      #expect(x.state.numbers == y.state.numbers)
      #expect(x.state.tensors.keys == y.state.tensors.keys)
      for (group, tensors) in x.state.tensors { #expect(areSame(tensors, y.state[group])) }
    }
  }
}
