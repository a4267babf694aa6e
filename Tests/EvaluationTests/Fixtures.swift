import Evaluation

/// A matrix over experiences named by number.
func matrix(_ rows: [[Double?]], before: [Double?]? = nil) -> AccuracyMatrix {
  let columns = rows.map(\.count).max() ?? before?.count ?? 0
  return AccuracyMatrix(
    experiences: (0..<columns).map(String.init), before: before,
    rows: rows.map { $0 + Array(repeating: nil, count: columns - $0.count) })
}

/// A run over two experiences that ends at `final` on the first and learned both to `learned`.
func run(
  _ method: String, rate: Double? = nil, seed: Int = 0, learned: Double, final: Double, validation: Double? = nil
) -> RunRecord {
  var run = RunRecord(
    id: "\(method)-\(rate ?? 0)-\(seed)", methods: [method], seed: seed, stream: "toy",
    matrix: matrix([[learned], [final, learned]]))
  run.learningRate = rate
  run.validation = validation.map { matrix([[$0], [$0, $0]]) }
  return run
}

extension Double? {
  /// Equal within 1e-9, both present.
  func isNear(_ other: Double) -> Bool { map { abs($0 - other) < 1e-9 } ?? false }
}
