/// SHA-256 (FIPS 180-4) of 32-bit integers in little-endian bytes.
struct SHA256 {
  private var state: [UInt32] = [
    0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
  ]
  private var block = [UInt32](repeating: 0, count: 64)
  private var filled = 0
  private var words: UInt64 = 0

  /// The fractional parts of the cube roots of the first 64 primes.
  private static let constants: [UInt32] = {
    var primes: [Int] = []
    var candidate = 2
    while primes.count < 64 {
      if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
      candidate += 1
    }
    return primes.map { prime in
      // The largest whole r with r³ ≤ p · 2⁹⁶, found bit by bit; its low 32 bits are the fraction.
      var root: UInt64 = 0
      for bit in (0..<36).reversed() {
        let trial = root | 1 << UInt64(bit)
        let square = trial.multipliedFullWidth(by: trial)
        let low = square.low.multipliedFullWidth(by: trial)
        let high = square.high &* trial &+ low.high
        if high < UInt64(prime) << 32 || (high == UInt64(prime) << 32 && low.low == 0) { root = trial }
      }
      return UInt32(truncatingIfNeeded: root)
    }
  }()

  mutating func update(_ values: [Int32]) {
    for value in values { append(UInt32(bitPattern: value).byteSwapped) }
    words += UInt64(values.count)
  }

  /// The digest in hexadecimal.
  mutating func finish() -> String {
    append(0x8000_0000)
    while filled != 14 { append(0) }
    append(UInt32(truncatingIfNeeded: (words * 32) >> 32))
    append(UInt32(truncatingIfNeeded: words * 32))
    return state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  private mutating func append(_ word: UInt32) {
    block[filled] = word
    filled += 1
    if filled == 16 {
      compress()
      filled = 0
    }
  }

  /// Masking shifts and a pointer keep this bearable in a debug build.
  private mutating func compress() {
    func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word &>> count | word &<< (32 &- count) }
    block.withUnsafeMutableBufferPointer { block in
      for index in 16..<64 {
        let (old, new) = (block[index &- 15], block[index &- 2])
        let s0 = rotated(old, 7) ^ rotated(old, 18) ^ old &>> 3
        let s1 = rotated(new, 17) ^ rotated(new, 19) ^ new &>> 10
        block[index] = block[index &- 16] &+ s0 &+ block[index &- 7] &+ s1
      }
      var (a, b, c, d) = (state[0], state[1], state[2], state[3])
      var (e, f, g, h) = (state[4], state[5], state[6], state[7])
      SHA256.constants.withUnsafeBufferPointer { constants in
        for index in 0..<64 {
          let s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
          let first = h &+ s1 &+ (e & f ^ ~e & g) &+ constants[index] &+ block[index]
          let s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
          let second = s0 &+ (a & b ^ a & c ^ b & c)
          (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
        }
      }
      for (index, word) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= word }
    }
  }
}
