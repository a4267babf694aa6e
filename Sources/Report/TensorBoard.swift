public import Evaluation
public import Foundation

/// The curves of runs as TensorBoard shows them.
public enum TensorBoard {
  /// The event file of one run: loss, learning rate, gradient norm, speed and memory at every logged step; the
  /// accuracy of each experience, their mean, and the abilities at the end of every experience.
  ///
  /// `start` is when the run began.
  public static func events(of run: RunRecord, start: Date) -> Data {
    let start = start.timeIntervalSince1970
    var file = EventFile(date: start)
    for record in run.steps {
      let series: [(String, Double?)] = [
        ("train/loss", record.loss), ("train/learning rate", record.learningRate),
        ("train/gradient norm", record.gradientNorm), ("train/tokens per second", record.tokensPerSecond),
        ("train/memory (GB)", record.residentBytes.map { Double($0) / 1e9 }),
      ]
      for case (let tag, let value?) in series {
        file.add(tag, value, step: record.step, date: start + record.wallSeconds)
      }
    }
    let names = run.matrix.experiences
    for (index, row) in run.matrix.rows.enumerated() {
      // Rows stand at the last step logged of their experience.
      let last = run.steps.last { $0.experience <= index }
      let (step, date) = (last?.step ?? 0, start + (last?.wallSeconds ?? 0))
      for case (let name, let accuracy?) in zip(names, row) {
        file.add("accuracy/\(name)", accuracy, step: step, date: date)
      }
      for (ability, score) in zip(run.abilities?.abilities ?? [], run.abilities?.row(index) ?? []) {
        guard let value = score.percent ?? score.loss else { continue }
        file.add("ability/\(ability.name)", value, step: step, date: date)
      }
      let seen = row.prefix(index + 1).compactMap { $0 }
      guard !seen.isEmpty else { continue }
      file.add("accuracy/mean of seen", seen.reduce(0, +) / Double(seen.count), step: step, date: date)
    }
    return file.data
  }
}
