import Foundation
import Torch

/// Process-wide settings of the compute engine, made once at start.
public enum Engine {
  /// - Parameters:
  ///   - threads: nil takes all cores.
  ///   - sharers: processes of this run that share the cores.
  public static func start(threads: Int?, sharers: Int = 1) {
    Runtime.threads = threads ?? max(1, ProcessInfo.processInfo.activeProcessorCount / sharers)
    Runtime.setDeterministic(true)
    Runtime.keepFreedMemory()
  }
}
