import Adapters
import Foundation
import NN
import TestSupport
import Testing
import Torch

@Suite struct BottleneckFileTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jay-\(UUID().uuidString)")

  /// Layers with bottlenecks of these widths, whose weights are all drawn.
  private func adapted(width: Int = 4, on targets: [String] = ["query"], seed: UInt64 = 3) throws -> (
    Layers, AdapterSet
  ) {
    let layers = Layers()
    let set = try AdapterSet(bottleneck: width, on: targets, index: 0, seed: seed, in: layers.store)
    var random = Generator(seed: seed)
    for parameter in set.parameters { parameter.assign(.normal(parameter.shape, deviation: 1, &random)) }
    return (layers, set)
  }

  private func outputs(_ layers: Layers) -> [Tensor] {
    withoutGradient { layers.linears.map { $0(matrix([[1, -2, 0.5], [0.3, 0.1, 2]]), .evaluation) } }
  }

  private func sentence(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch { return error.localizedDescription }
  }

  @Test func bottlenecksGoOutAndComeIn() throws {
    let (layers, _) = try adapted(), url = BottleneckFile.url(0, in: folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try BottleneckFile.write(layers.store, to: url)
    let other = Layers()
    let set = try BottleneckFile.kept(in: folder)[0].attach(index: 2, seed: 9, in: other.store)
    #expect(set.parameters.count == 8 && set.parameters[0].name == "encoder.0.query.adapter.2.down.weight")
    for (x, y) in zip(outputs(layers), outputs(other)) { #expect(areSame(x, y)) }
    // Another file's values, in the same places.
    let (second, _) = try adapted(seed: 5)
    try BottleneckFile.write(second.store, to: BottleneckFile.url(1, in: folder))
    let files = try BottleneckFile.kept(in: folder)
    #expect(files.count == 2)
    try files[1].assign(to: set, in: other.store)
    for (x, y) in zip(outputs(second), outputs(other)) { #expect(areSame(x, y)) }
  }

  @Test func gatesAreMultipliedIn() throws {
    let (layers, set) = try adapted(), url = BottleneckFile.url(0, in: folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let open = outputs(layers)
    for bottleneck in set.bottlenecks {
      bottleneck.gates = (Tensor([1, 0, 0.5, 1] as [Float]), Tensor([0.25, 1] as [Float]))
    }
    try BottleneckFile.write(layers.store, to: url)
    let other = Layers()
    _ = try BottleneckFile(url).attach(index: 0, seed: 9, in: other.store)
    for ((x, y), free) in zip(zip(outputs(layers), outputs(other)), open).prefix(2) {
      #expect((x - y).abs().sum().item() < 1e-5 && (x - free).abs().sum().item() > 0.1)
    }
  }

  @Test func aFileThatDoesNotFitIsRefused() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let place = folder.relativePath
    #expect(
      sentence { _ = try BottleneckFile.kept(in: folder) }
        == "\(place) has no bottlenecks-1.safetensors. Name the folder of a model that a run of 'adapter', 'hat' or 'demix' "
        + "kept (training.keepModels: true).")
    let (layers, _) = try adapted(), url = BottleneckFile.url(0, in: folder)
    try BottleneckFile.write(layers.store, to: url)
    let wide = Layers(outputs: 5)
    #expect(
      sentence { _ = try BottleneckFile(url).attach(index: 0, seed: 1, in: wide.store) }
        == "\(place)/bottlenecks-1.safetensors does not hold bottlenecks of this model: encoder.0.query.down.weight, "
        + "encoder.0.query.up.weight, encoder.0.query.up.bias, encoder.1.query.down.weight, …. Name the folder of a model "
        + "that a run of 'adapter', 'hat' or 'demix' kept, and the same model.")
    #expect(wide.linears.allSatisfy { $0.attachments.isEmpty }, "nothing is attached")
    let (_, narrow) = try adapted(width: 3), target = Layers()
    _ = try BottleneckFile(url).attach(index: 0, seed: 1, in: target.store)
    #expect(
      sentence { try BottleneckFile(url).assign(to: narrow, in: target.store) }
        == "\(place)/bottlenecks-1.safetensors has bottlenecks on other layers or of another width than the first file of "
        + "its folder. Keep the files of one run together.")
    // Of a model without these layers.
    try SafeTensorsWriter.write(["decoder.down.weight": .zeros([2, 2])], metadata: [:], to: url)
    #expect(
      sentence { _ = try BottleneckFile(url).attach(index: 1, seed: 1, in: Layers().store) }
        .contains("bottlenecks of this model: decoder.down.weight. Name"))
  }
}
