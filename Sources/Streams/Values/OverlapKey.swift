extension Example {
  /// Text and pair as the overlap check compares them: equal keys are equal texts but for case and punctuation.
  var overlapKey: String {
    guard let pair else { return Streams.overlapKey(text) }
    // U+001F cannot come out of a key, so it parts the two texts without doubt.
    return Streams.overlapKey(text) + "\u{1F}" + Streams.overlapKey(pair)
  }
}

/// The text in lower case, without punctuation, every run of other characters between words one blank.
///
/// A text that is nothing but punctuation keeps it; otherwise all such texts would count as one.
func overlapKey(_ text: String) -> String {
  var key: [UInt8] = []
  key.reserveCapacity(text.utf8.count)
  var pendingBlank = false
  for scalar in text.lowercased().unicodeScalars {
    if scalar.isWordPart {
      if pendingBlank && !key.isEmpty { key.append(UInt8(ascii: " ")) }
      pendingBlank = false
      key.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    } else if scalar.isBlank {
      pendingBlank = true
    }
  }
  return key.isEmpty ? text : String(decoding: key, as: UTF8.self)
}

extension Unicode.Scalar {
  /// ASCII by comparison, since the Unicode tables cost ten times as much.
  fileprivate var isWordPart: Bool {
    if isASCII { return (97...122).contains(value) || (48...57).contains(value) }
    return properties.isAlphabetic || properties.numericType != nil || properties.generalCategory == .nonspacingMark
  }

  fileprivate var isBlank: Bool {
    isASCII ? value == 32 || (9...13).contains(value) : properties.isWhitespace
  }
}
