import NN
import TestSupport
import Testing
import Torch

@Suite struct LayerTests {
  @Test func linearAddsItsBias() {
    let layer = Linear(2, 3, in: freshScope() / "l")
    layer.weight.assign(Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2]))
    layer.bias?.assign(Tensor([0.5, 0, -1] as [Float]))
    let x = Tensor([1, -1, 2, 0] as [Float], shape: [2, 2])
    #expect(difference(layer(x, .evaluation), [-0.5, -1, -2, 2.5, 6, 9]) == nil)
    #expect((layer.inputs, layer.outputs) == (2, 3))
    #expect(Linear(2, 3, bias: false, in: freshScope()).bias == nil)
  }

  @Test func layerNormStartsAsIdentityOfTheNormalised() {
    let layer = LayerNorm(2, epsilon: 0, in: freshScope())
    #expect(difference(layer(Tensor([1, 3] as [Float], shape: [1, 2])), [-1, 1]) == nil)
    layer.weight.assign(Tensor([2, 4] as [Float]))
    layer.bias?.assign(Tensor([1, -1] as [Float]))
    #expect(difference(layer(Tensor([1, 3] as [Float], shape: [1, 2])), [-1, 3]) == nil)
  }

  @Test func embeddingLooksRowsUp() {
    let layer = Embedding(3, 2, in: freshScope())
    layer.weight.assign(Tensor([0, 1, 2, 3, 4, 5] as [Float], shape: [3, 2]))
    let y = layer(Tensor([2, 0] as [Int64], shape: [1, 2]))
    #expect(y.shape == [1, 2, 2])
    #expect(difference(y, [4, 5, 0, 1]) == nil)
  }

  @Test func activationsAreFoundByTheirConfigurationNames() {
    let x = Tensor([-1, 2] as [Float])
    #expect(Activation(rawValue: "gelu_new") == .geluTanh)
    #expect(difference(Activation.gelu(x), [-0.15865526, 1.9544997]) == nil)
    #expect(difference(Activation.geluTanh(x), [-0.15880801, 1.9545977]) == nil)
    #expect(difference(Activation.relu(x), [0, 2]) == nil)
    #expect(difference(Activation.silu(x), [-0.26894143, 1.7615942]) == nil)
    #expect(difference(Activation.tanh(x), [-0.7615942, 0.9640276]) == nil)
  }

  @Test func attachmentsChangeTheOutputInOrder() {
    final class Step: NN.Attachment {
      var isEnabled = true
      let parameters: [Parameter] = []
      let rowWeights: [RowWeight] = []
      let change: (Tensor) -> Tensor
      init(_ change: @escaping (Tensor) -> Tensor) { self.change = change }
      func callAsFunction(_ x: Tensor, _ y: Tensor, _ mode: Mode) -> Tensor { change(y) }
    }
    let layer = Linear(1, 1, initializer: .ones, in: freshScope())
    let x = Tensor([3] as [Float], shape: [1, 1]), double = Step { $0 * 2 }, next = Step { $0 + 1 }
    layer.attach(double)
    layer.attach(next)
    #expect(layer(x, .evaluation).item() == 7)
    double.isEnabled = false
    #expect(layer(x, .evaluation).item() == 4)
    layer.detach { $0 === next }
    double.isEnabled = true
    #expect(layer(x, .evaluation).item() == 6)
  }

  @Test func dropoutActsInTrainingOnly() {
    let x = Tensor.ones([1000]), mode = Mode.training(Generator(seed: 1))
    #expect(Mode.evaluation.dropout(x, 0.5).isIdentical(to: x))
    #expect(Set(mode.dropout(x, 0.5).values()) == [0, 2])
    #expect(mode.generator.counter == 1)
  }
}

@Suite struct ActivationTapTests {
  private func layer() -> Linear {
    let layer = Linear(2, 2, bias: false, in: freshScope())
    layer.weight.assign(Tensor([1, 0, 0, -2] as [Float], shape: [2, 2]))
    return layer
  }
  private let training = Mode.training(Generator(seed: 0))

  @Test func sumsOverPositionsAndCalls() {
    let layer = layer()
    layer.output.isRecording = true
    _ = layer(Tensor([1, 2, -3, 4] as [Float], shape: [1, 2, 2]), training)
    #expect(difference(layer.output.magnitude, [4, 12]) == nil)
    _ = layer(Tensor([1, 1] as [Float], shape: [1, 2]), training)
    #expect(difference(layer.output.magnitude, [5, 14]) == nil)
    layer.output.reset()
    #expect(layer.output.magnitude == nil)
  }

  @Test(arguments: [false, true]) func leavesPaddingOutUnlessItIsKept(_ keepsPadding: Bool) {
    let layer = layer(), mode = Mode.training(Generator(seed: 0), keepsPadding: keepsPadding)
    layer.output.isRecording = true
    let x = Tensor([1, 2, -3, 4] as [Float], shape: [1, 2, 2])
    mode.overPadding(Tensor([0, 1] as [Float], shape: [1, 2])) { _ = layer(x, mode) }
    #expect(difference(layer.output.magnitude, keepsPadding ? [4, 12] : [3, 8]) == nil)
    // Outside of it all places count.
    layer.output.reset()
    _ = layer(x, mode)
    #expect(difference(layer.output.magnitude, [4, 12]) == nil)
  }

  @Test func aSingleVectorCountsPerFeature() {
    let layer = layer()
    layer.output.isRecording = true
    _ = layer(Tensor([1, 2] as [Float]), training)
    #expect(difference(layer.output.magnitude, [1, 4]) == nil)
  }

  @Test func isSilentInEvaluationAndUnlessAsked() {
    let layer = layer(), x = Tensor([1, 2] as [Float], shape: [1, 2])
    _ = layer(x, training)
    #expect(layer.output.magnitude == nil)
    layer.output.isRecording = true
    _ = layer(x, .evaluation)
    #expect(layer.output.magnitude == nil)
  }

  @Test func isFloat32AndOutsideTheGraph() throws {
    let layer = Linear(4, 3, in: freshScope(dtype: .bfloat16))
    layer.weight.isTrainable = true
    layer.output.isRecording = true
    _ = layer(.ones([2, 4], dtype: .bfloat16), training)
    let magnitude = try #require(layer.output.magnitude)
    #expect(magnitude.dtype == .float32 && !magnitude.requiresGradient && magnitude.shape == [3])
  }
}
