/// Answers laid out as a tree, so that what several begin with is read once.
///
/// Only tokens with something behind them are fed: the last token of an answer is predicted, never read.
struct AnswerTree {
  struct Fed {
    let token: Int32
    /// Tokens before it in its answer.
    let depth: Int
    /// Place in `fed` of the token before it; nil for the first of an answer.
    let parent: Int?
  }

  /// A token that is predicted.
  struct Step: Hashable {
    /// Place in `fed` of the token before it; nil for the first of an answer.
    let parent: Int?
    let token: Int32
  }

  /// The tokens to feed, each behind its parent.
  private(set) var fed: [Fed] = []
  /// What is predicted, each once, by parent: first those behind the text, then those behind `fed[0]`, and so on.
  let steps: [Step]
  /// Places in `steps` of each answer's tokens.
  let paths: [[Int]]

  init(_ answers: [[Int32]]) {
    var fed: [Fed] = [], places: [Step: Int] = [:]
    let walks = answers.map { answer -> [Step] in
      precondition(!answer.isEmpty, "score: an answer has no tokens")
      var parent: Int?
      return answer.enumerated().map { depth, token in
        let step = Step(parent: parent, token: token)
        if depth < answer.count - 1 {
          if places[step] == nil {
            places[step] = fed.count
            fed.append(Fed(token: token, depth: depth, parent: parent))
          }
          parent = places[step]
        }
        return step
      }
    }
    let steps = Set(walks.joined()).sorted { ($0.parent ?? -1, $0.token) < ($1.parent ?? -1, $1.token) }
    let order = Dictionary(uniqueKeysWithValues: steps.enumerated().map { ($1, $0) })
    (self.fed, self.steps) = (fed, steps)
    paths = walks.map { $0.compactMap { order[$0] } }
  }

  /// Room behind the text that scoring needs: a place for each fed token, and one to measure theirs from.
  var room: Int { max(1, fed.count) }

  /// For each fed token, which of them it sees: itself and those before it in its answer.
  var isSeen: [[Bool]] {
    var seen: [[Bool]] = []
    for (place, node) in fed.enumerated() {
      var row = node.parent.map { seen[$0] } ?? [Bool](repeating: false, count: fed.count)
      row[place] = true
      seen.append(row)
    }
    return seen
  }
}
