import Models
import NN
import TestSupport
import Testing
import Torch

/// Documents packed into one row are read as if each stood alone.
@Suite struct PackedDocumentsTests {
  private let documents: [[Int64]] = [[5, 9, 11], [30, 31], [7, 40, 41, 42]]

  private func batch(_ rows: [[[Int64]]]) -> DeviceBatch {
    let length = rows.map { $0.map(\.count).reduce(0, +) }.max() ?? 0
    var tokens: [Int64] = [], indices: [Int64] = [], positions: [Int64] = [], mask: [Float] = []
    for row in rows {
      let padding = length - row.map(\.count).reduce(0, +)
      tokens += row.flatMap { $0 } + Array(repeating: 0, count: padding)
      indices += row.enumerated().flatMap { index, document in document.map { _ in Int64(index) } }
      indices += Array(repeating: -1, count: padding)
      positions += row.flatMap { $0.indices.map(Int64.init) } + Array(repeating: 0, count: padding)
      mask += row.flatMap { $0.map { _ in Float(1) } } + Array(repeating: 0, count: padding)
    }
    let shape = [rows.count, length]
    return DeviceBatch(
      tokens: Tensor(tokens, shape: shape), segments: .zeros(shape, dtype: .int64), mask: Tensor(mask, shape: shape),
      lengths: rows.map { $0.map(\.count).reduce(0, +) },
      documents: rows.contains { $0.count > 1 }
        ? PackedDocuments(indices: Tensor(indices, shape: shape), positions: Tensor(positions, shape: shape)) : nil,
      targets: [], experiences: [], candidates: [], candidateSets: [])
  }

  /// `read` gives the states `[rows, length, width]` of a batch.
  private func check(_ read: (DeviceBatch) -> Tensor) {
    inference {
      // A second row that is shorter, so that there is padding too.
      let packed = read(batch([documents, [documents[1]]]))
      var start = 0
      for document in documents {
        let alone = read(batch([[document]]))
        let part = packed.narrowed(0, 0..<1).narrowed(1, start..<start + document.count)
        #expect(difference(part, alone, atol: 1e-5) == nil)
        start += document.count
      }
      let second = packed.narrowed(0, 1..<2).narrowed(1, 0..<2)
      #expect(difference(second, read(batch([[documents[1]]])), atol: 1e-5) == nil)
    }
  }

  @Test(arguments: ["bert-tiny", "roberta-tiny"]) func byEncoders(_ name: String) throws {
    let model = try Golden.url(name).load()
    check { model.hidden($0, .evaluation) }
  }

  @Test(arguments: ["llama-grouped", "llama-scaled", "llama-window"]) func byDecoders(_ name: String) throws {
    let model = try ModelIndex.loadCausal(Golden.url(name), dtype: .float32, device: .cpu, seed: 0).model
    check { batch in
      batch.documents.map { model.hidden(batch.tokens, Placement(packed: $0), cache: nil, .evaluation) }
        ?? model.hidden(batch.tokens, mask: batch.mask, cache: nil, .evaluation)
    }
  }
}
