import NN
import TestSupport
import Testing
import Torch

/// In a process of its own: the counter belongs to the whole process.
@Suite(.serialized) struct HandleTests {
  @Test func tenThousandStepsKeepTheHandlesFlat() async {
    await #expect(processExitsWith: .success) {
      Runtime.threads = 1
      let bank = HeadBank(width: 4, dropout: 0.1, in: freshScope())
      bank.add([0, 1])
      let parameters = bank.blocks.flatMap { [$0.linear.weight] + ($0.linear.bias.map { [$0] } ?? []) }
      for parameter in parameters { parameter.isTrainable = true }
      bank.blocks[0].linear.output.isRecording = true
      let optimizer = AdamW(.init()), mode = Mode.training(Generator(seed: 0))
      let features = Tensor.normal([2, 4], &mode.generator)
      let batch = batch(targets: [0, 1], candidates: [0, 1], sets: [[0], [0, 1]])
      var afterFirst = 0
      for step in 0..<10_000 {
        bank(features, batch, mode).loss.backward()
        let norm = Tensor.globalNorm(parameters.compactMap(\.gradient))
        optimizer.update(parameters, rate: 1e-3, gradientScale: norm > 1 ? 1 / norm : 1)
        for parameter in parameters { parameter.gradient = nil }
        if step == 0 { afterFirst = Runtime.liveHandles }
      }
      precondition(Runtime.liveHandles == afterFirst, "\(Runtime.liveHandles - afterFirst) handles more")
    }
  }
}
