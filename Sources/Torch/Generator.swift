import CTorch

/// A counter-based random generator: its whole state is (seed, counter), so that a checkpoint is two integers
/// and values do not depend on the number of threads.
public struct Generator: Sendable, Codable, Equatable, RandomNumberGenerator {
  public let seed: UInt64
  public private(set) var counter: UInt64

  public init(seed: UInt64, counter: UInt64 = 0) {
    self.seed = seed
    self.counter = counter
  }

  /// An independent generator for a named purpose.
  public func derived(_ purpose: String) -> Generator {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
    for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return Generator(seed: Self.mix(seed ^ Self.mix(hash)))
  }

  public mutating func next() -> UInt64 {
    counter &+= 1
    return Self.mix(Self.mix(seed) &+ counter)
  }

  struct Key { let seed: UInt64, counter: UInt64 }

  /// One key per random tensor; the shim derives each element from it and the element's index.
  mutating func nextKey() -> Key { Key(seed: seed, counter: next()) }

  // SplitMix64's finaliser.
  private static func mix(_ value: UInt64) -> UInt64 {
    var x = value &+ 0x9E37_79B9_7F4A_7C15
    x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
    x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
    return x ^ (x >> 31)
  }
}

extension Tensor {
  /// Values uniform in `[range)`, float64 on the CPU before conversion; rounding to `dtype` can give the upper bound.
  public static func uniform(
    _ shape: [Int], _ range: Range<Double>, _ generator: inout Generator,
    dtype: DType = .float32, device: Device = .cpu
  ) -> Tensor {
    let key = generator.nextKey()
    let out = zeros(shape, dtype: dtype, device: device)
    perform("uniform\(shape)", [out]) {
      ct_fill_uniform(out.pointer, range.lowerBound, range.upperBound, key.seed, key.counter << 32)
    }
    return out
  }

  /// Normal values.
  public static func normal(
    _ shape: [Int], mean: Double = 0, deviation: Double = 1, _ generator: inout Generator,
    dtype: DType = .float32, device: Device = .cpu
  ) -> Tensor {
    let key = generator.nextKey()
    let out = zeros(shape, dtype: dtype, device: device)
    perform("normal\(shape)", [out]) {
      ct_fill_normal(out.pointer, mean, deviation, key.seed, key.counter << 32)
    }
    return out
  }
}
