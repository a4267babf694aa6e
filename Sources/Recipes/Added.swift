import Continual
import Foundation
import Streams

/// Experiences that `jay continue` appended to a run: their data are copied into the run folder, so that the run
/// stays whole when the source moves away.
enum Added {
  static func experiences(in directory: RunDirectory) throws -> [Experience] {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory.added.path)) ?? []).sorted()
    return try names.filter { !$0.hasPrefix(".") }.flatMap { name in
      try StreamLoader.load(directory.added.appendingPathComponent(name)).experiences
    }
  }
}
