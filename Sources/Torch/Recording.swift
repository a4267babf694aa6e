import CTorch

/// What a device was asked to do, to be asked for again as a whole, without the program's part of it: CUDA graphs.
///
/// A replay reads and writes the memory that the recorded work did: what it is to read anew is copied into those tensors,
/// and its results stand in the tensors that `body` made. Nothing else of the program takes part: numbers, shapes and
/// branches are as they were.
public final class Recording {
  private let handle: OpaquePointer

  /// Whether this build can record on the device: on CUDA with its headers at hand, elsewhere with libtorch 2.12 or later.
  public static func isSupported(on device: Device) -> Bool { ct_recording_supported(device.number) }

  /// Records what `body` asks of the device; none of it is done before `replay`.
  ///
  /// All that it needs and that is made only once (kernels' plans, an optimizer's moments) must be there: `body` has run
  /// before. It must not wait for the device, nor give it memory of the program's; where it throws, nothing is recorded.
  /// - Parameters:
  ///   - device: one that can record.
  ///   - shared: a recording whose memory this one uses too; its results do not survive this one's replay, unless they
  ///     are held.
  ///   - body: the work.
  public init(on device: Device, sharing shared: Recording? = nil, _ body: () throws -> Void) rethrows {
    var out: OpaquePointer?
    perform("record", []) { ct_recording_begin(device.number, shared?.handle, &out) }
    guard let out else { preconditionFailure("Recording: libtorch gave none") }
    handle = out
    // Also where `body` throws: the device leaves its recording.
    defer { perform("record", []) { ct_recording_end(out) } }
    try body()
  }

  deinit { ct_recording_free(handle) }

  /// Asks the device for all of it again.
  public func replay() { perform("replay", []) { ct_recording_replay(handle) } }
}

extension Generator {
  /// Seeds the devices, from where all that `body` draws on an accelerator goes on; otherwise each draw there seeds them by
  /// itself, which a recording cannot. The CPU's draws are not concerned.
  public mutating func drawing<Result>(_ body: () throws -> Result) rethrows -> Result {
    let key = nextKey()
    perform("draw", []) { ct_draw_on(key.seed, key.counter) }
    defer { ct_draw_apart() }
    return try body()
  }
}
