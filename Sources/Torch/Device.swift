import CTorch

/// Where a tensor lives. There is no default device: it enters once, in `NN.Scope`.
public enum Device: Sendable, Hashable, CustomStringConvertible {
  case cpu
  case cuda(Int)
  case mps
  /// One that another library registers with libtorch as its own (PrivateUse1). No recipe names it.
  case custom

  /// Whether what is computed here runs behind the program, which waits only where it reads a value.
  public var runsBehind: Bool { self != .cpu }

  /// Whether this build of libtorch can use the device on this machine.
  public var isAvailable: Bool { ct_device_available(number.kind) }

  /// Waits until all work queued on the device is done.
  public func synchronize() { perform("synchronize", []) { ct_synchronize(number) } }

  /// Bytes of a device's own memory.
  public struct Memory: Sendable, Equatable {
    /// What this process holds now, and the most it held.
    public let held: Int, peak: Int
    /// What more it could have.
    public let free: Int
  }

  /// Nil on the CPU, whose memory the system counts, and where libtorch does not keep count.
  public var memory: Memory? {
    var out = ct_memory(), isKnown = false
    perform("memory", []) { ct_device_memory(number, &out, &isKnown) }
    return isKnown ? Memory(held: Int(out.held), peak: Int(out.peak), free: Int(out.free)) : nil
  }

  public var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let index): "cuda:\(index)"
    case .mps: "mps"
    case .custom: "custom"
    }
  }

  /// Reads `cpu`, `cuda`, `cuda:1` or `mps`; nil for anything else.
  public init?(_ text: String) {
    switch text {
    case "cpu": self = .cpu
    case "mps": self = .mps
    case "cuda": self = .cuda(0)
    default:
      guard text.hasPrefix("cuda:"), let index = Int(text.dropFirst(5)), index >= 0 else { return nil }
      self = .cuda(index)
    }
  }

  init(_ number: ct_device) {
    switch number.kind {
    case CT_CUDA: self = .cuda(Int(number.index))
    case CT_MPS: self = .mps
    case CT_CUSTOM: self = .custom
    default: self = .cpu
    }
  }

  var number: ct_device {
    switch self {
    case .cpu: ct_device(kind: CT_CPU, index: 0)
    case .cuda(let index): ct_device(kind: CT_CUDA, index: Int32(index))
    case .mps: ct_device(kind: CT_MPS, index: 0)
    case .custom: ct_device(kind: CT_CUSTOM, index: 0)
    }
  }
}
