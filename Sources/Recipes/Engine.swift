import Foundation
import Torch

/// Process-wide settings of the compute engine, made once at start.
public enum Engine {
  /// - Parameter threads: nil takes all cores.
  public static func start(threads: Int?) {
    Runtime.threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    Runtime.setDeterministic(true)
    Runtime.keepFreedMemory()
  }
}
