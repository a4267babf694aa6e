import NN
import TestSupport
import Torch

/// A store with the layers `encoder.0.query`, `encoder.1.query` and `encoder.1.output.dense`, and a head.
struct Layers {
  let store = ParameterStore()
  let linears: [Linear]

  init(inputs: Int = 3, outputs: Int = 2) {
    let scope = Scope(store: store, dtype: .float32, device: .cpu, seed: 1)
    let encoder = scope / "encoder"
    let places = [encoder / 0 / "query", encoder / 1 / "query", encoder / 1 / "output" / "dense"]
    linears = places.map { Linear(inputs, outputs, in: $0) }
    _ = Linear(inputs, outputs, in: scope.fresh(.head, seed: 2) / "heads" / "query")
  }
}

func matrix(_ rows: [[Float]]) -> Tensor { Tensor(rows.flatMap { $0 }, shape: [rows.count, rows[0].count]) }

func areSame(_ x: Tensor, _ y: Tensor) -> Bool { x.shape == y.shape && x.values() == y.values() }
