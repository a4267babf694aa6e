import Continual
import Streams
import Torch

/// Texts of one experience that a model wrote with their answers, at most some of each class.
struct WrittenTexts {
  private let experience: Experience
  /// The answers of the experience's classes, without the token that ends them; none where answers are free.
  private let classes: [[Int32]]
  private let marks: TextMarks
  /// By class; free answers are one class.
  private var kept: [[TokenizedExample]]
  private let most: Int

  init(of experience: Experience, classes: [[Int32]], atMost most: Int, marks: TextMarks) {
    (self.experience, self.classes, self.most, self.marks) = (experience, classes, most, marks)
    kept = [[TokenizedExample]](repeating: [], count: max(1, classes.count))
  }

  var isFull: Bool { kept.allSatisfy { $0.count >= most } }
  var examples: [TokenizedExample] { kept.flatMap(\.self) }

  /// Keeps what was written if it is a text with an answer that the experience has, and its class is not full.
  mutating func add(_ written: [Int32]) {
    guard let (text, answer) = marks.read(written),
      let place = classes.isEmpty ? 0 : classes.firstIndex(of: answer), kept[place].count < most
    else { return }
    kept[place].append(
      TokenizedExample(
        id: "written.\(experience.index).\(place).\(kept[place].count)", tokens: text + [marks.end],
        firstLength: text.count + 1, target: classes.isEmpty ? -1 : experience.classes[place],
        answer: answer + [marks.end], experience: experience.index))
  }

  /// Lets the model write until every class is full, or `attempts` texts were written; the draws depend on `draw` alone.
  mutating func fill(_ attempts: Int, _ sampling: TextSampling, draw: Generator, _ learner: Learner) throws {
    for start in stride(from: 0, to: attempts, by: 32) where !isFull {
      try learner.pause()
      let numbers = start..<min(start + 32, attempts), asked = marks.asking(experience.index)
      for written in learner.write(numbers, behind: asked, sampling, draw: draw) { add(written) }
    }
  }
}
