extension String {
  /// The text with control characters spelled out (`\n`, `\u{1B}`): a sentence that quotes data stays one line, and a
  /// terminal obeys none of them.
  package var spellingControls: String {
    func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .control }
    guard unicodeScalars.contains(where: isControl) else { return self }
    return unicodeScalars.reduce(into: "") { $0 += isControl($1) ? $1.escaped(asASCII: false) : String($1) }
  }
}
