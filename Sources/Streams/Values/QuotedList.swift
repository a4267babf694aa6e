/// The names in quotes, at most twelve of them.
func quotedList(_ names: [String]) -> String {
  let shown = names.prefix(12).map { "\"\($0)\"" }.joined(separator: ", ")
  return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
}
