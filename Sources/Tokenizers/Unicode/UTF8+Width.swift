extension UTF8 {
  /// How many bytes the scalar that starts with `byte` takes.
  static func width(startingWith byte: UInt8) -> Int {
    byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
  }
}
