/// Labels that differ only in case or blanks: most often one label, written in several ways.
public enum SimilarLabels {
  /// The groups of such labels, each with at least two, in the order of their first.
  public static func groups(_ labels: [String]) -> [[String]] {
    var places: [String: Int] = [:], groups: [[String]] = []
    for label in labels {
      let key = key(label)
      if let place = places[key] {
        groups[place].append(label)
      } else {
        places[key] = groups.count
        groups.append([label])
      }
    }
    return groups.filter { $0.count > 1 }
  }

  /// The first label that is this one but for case or blanks.
  public static func label(like label: String, among labels: [String]) -> String? {
    let wanted = key(label)
    return labels.first { key($0) == wanted }
  }

  private static func key(_ label: String) -> String { label.lowercased().filter { !$0.isWhitespace } }
}
