import Continual
import NN
import Streams
import Torch

extension Tensor {
  /// Values for each row of the batch that `willForward` saw, `[rows, values]`, laid out to meet a layer's input in a pass
  /// of those rows: `[rows, 1, ..., values]`, or `[1, tokens, values]` where tokens of all rows stand behind one another.
  func spread(over x: Tensor, _ mode: Mode) -> Tensor {
    if let rows = mode.rowsOfTokens { return gathered(0, rows).unsqueezed(0) }
    let values = mode.rows.map { gathered(0, $0) } ?? self
    precondition(values.size(0) == x.size(0), "willForward saw \(values.size(0)) rows, the pass has \(x.size(0))")
    return values.reshaped([x.size(0)] + [Int](repeating: 1, count: x.rank - 2) + [values.size(1)])
  }
}

extension DeviceBatch {
  /// Takes each row's prediction from the classes of the experience given for it.
  mutating func narrow(to experiences: [Int], _ learner: Learner) {
    let found = Set(experiences).sorted()
    candidateSets = found.map { learner.stream.experiences[$0].classes }
    candidates = experiences.map { found.firstIndex(of: $0) ?? 0 }
  }
}

extension Sequence where Element: Attachment {
  /// The vector of each text as the model reads it without these attachments, `[rows, width]` float32, without a graph.
  func frozenFeatures(_ batch: DeviceBatch, _ model: any Represents) -> Tensor {
    let enabled = filter(\.isEnabled)
    for attachment in enabled { attachment.isEnabled = false }
    defer { for attachment in enabled { attachment.isEnabled = true } }
    return withoutGradient { model.features(batch, .evaluation).to(.float32) }
  }
}

extension Learner {
  /// The model as one that turns a text into a vector.
  var representer: any Represents {
    guard let representer = model as? any Represents else {
      preconditionFailure("\(type(of: model)) does not turn a text into a vector")
    }
    return representer
  }
}
