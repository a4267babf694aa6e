/// Porter's stemmer of English with the extensions of NLTK's default mode, which ROUGE implementations use.
///
/// Source: Porter, An algorithm for suffix stripping, Program 1980; NLTK 3.9 `PorterStemmer`, mode NLTK_EXTENSIONS.
public enum PorterStemmer {
  /// The stem of a word in lower case.
  public static func stem(_ word: String) -> String {
    if let irregular = irregular[word] { return irregular }
    guard word.utf8.count > 2 else { return word }
    var stem = Word(letters: Array(word.utf8))
    stem.plural()
    stem.pastAndGerund()
    stem.finalY()
    stem.step2()
    stem.step3()
    stem.step4()
    stem.finalE()
    return String(decoding: stem.letters, as: UTF8.self)
  }

  private static let irregular: [String: String] = {
    let forms = [
      "sky": ["sky", "skies"], "die": ["dying"], "lie": ["lying"], "tie": ["tying"], "news": ["news"],
      "inning": ["innings", "inning"], "outing": ["outings", "outing"], "canning": ["cannings", "canning"],
      "howe": ["howe"], "proceed": ["proceed"], "exceed": ["exceed"], "succeed": ["succeed"],
    ]
    return Dictionary(uniqueKeysWithValues: forms.flatMap { stem, words in words.map { ($0, stem) } })
  }()
}

/// A word under way to its stem.
private struct Word {
  var letters: [UInt8]

  private func ends(with suffix: String) -> Bool { letters.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }
  private func stem(without suffix: String) -> ArraySlice<UInt8> { letters.dropLast(suffix.utf8.count) }
  private mutating func replace(_ suffix: String, by replacement: String) {
    letters = Array(stem(without: suffix)) + Array(replacement.utf8)
  }

  /// The first suffix that the word ends with decides: it is replaced where `holds` of the stem, else nothing is.
  private mutating func apply(_ rules: [(String, String)], where holds: (Word, ArraySlice<UInt8>) -> Bool) {
    guard let rule = rules.first(where: { ends(with: $0.0) }), holds(self, stem(without: rule.0)) else { return }
    replace(rule.0, by: rule.1)
  }

  /// Step 1a.
  mutating func plural() {
    if letters.count == 4, ends(with: "ies") { return replace("ies", by: "ie") }
    apply([("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")]) { _, _ in true }
  }

  /// Step 1b.
  mutating func pastAndGerund() {
    if ends(with: "ied") { return replace("ied", by: letters.count == 4 ? "ie" : "i") }
    if ends(with: "eed") {
      if measure(stem(without: "eed")) > 0 { replace("eed", by: "ee") }
      return
    }
    guard let suffix = ["ed", "ing"].first(where: { ends(with: $0) && hasVowel(stem(without: $0)) }) else { return }
    replace(suffix, by: "")
    if ["at", "bl", "iz"].contains(where: ends(with:)) {
      letters.append(UInt8(ascii: "e"))
    } else if endsDouble {
      if let last = letters.last, !"lsz".utf8.contains(last) { letters.removeLast() }
    } else if measure(letters[...]) == 1, endsShort(letters[...]) {
      letters.append(UInt8(ascii: "e"))
    }
  }

  /// Step 1c.
  mutating func finalY() {
    apply([("y", "i")]) { $1.count > 1 && $0.isConsonant($1.count - 1) }
  }

  mutating func step2() {
    if ends(with: "alli"), measure(stem(without: "alli")) > 0 {
      replace("alli", by: "al")
      return step2()
    }
    // Here the measure counts the letter that stays.
    if ends(with: "logi") {
      if measure(letters.dropLast(3)) > 0 { replace("logi", by: "log") }
      return
    }
    apply(Self.suffixes2) { $0.measure($1) > 0 }
  }

  mutating func step3() { apply(Self.suffixes3) { $0.measure($1) > 0 } }

  mutating func step4() {
    guard let suffix = Self.suffixes4.first(where: ends(with:)) else { return }
    let stem = stem(without: suffix)
    guard measure(stem) > 1, suffix != "ion" || stem.last.map("st".utf8.contains) == true else { return }
    replace(suffix, by: "")
  }

  /// Steps 5a and 5b.
  mutating func finalE() {
    if ends(with: "e") {
      let stem = stem(without: "e"), measure = measure(stem)
      if measure > 1 || measure == 1 && !endsShort(stem) { replace("e", by: "") }
    }
    if ends(with: "ll"), measure(letters.dropLast()) > 1 { letters.removeLast() }
  }

  private static let suffixes2 = [
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"),
    ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
    ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"),
    ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful"),
  ]
  private static let suffixes3 = [
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""),
  ]
  private static let suffixes4 = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
  ]

  /// A y after a consonant is a vowel.
  private func isConsonant(_ index: Int) -> Bool {
    switch letters[index] {
    case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"): false
    case UInt8(ascii: "y"): index == 0 || !isConsonant(index - 1)
    default: true
    }
  }

  private func hasVowel(_ stem: ArraySlice<UInt8>) -> Bool { stem.indices.contains { !isConsonant($0) } }

  /// How often a consonant follows a vowel: m of the paper.
  private func measure(_ stem: ArraySlice<UInt8>) -> Int {
    stem.indices.dropFirst().count { isConsonant($0) && !isConsonant($0 - 1) }
  }

  private var endsDouble: Bool {
    letters.count >= 2 && letters[letters.count - 1] == letters[letters.count - 2] && isConsonant(letters.count - 1)
  }

  /// Consonant, vowel, consonant other than w, x, y: *o of the paper; or only vowel and consonant.
  private func endsShort(_ stem: ArraySlice<UInt8>) -> Bool {
    let last = stem.count - 1
    if stem.count == 2 { return !isConsonant(0) && isConsonant(1) }
    return stem.count >= 3 && isConsonant(last - 2) && !isConsonant(last - 1) && isConsonant(last)
      && !"wxy".utf8.contains(letters[last])
  }
}
