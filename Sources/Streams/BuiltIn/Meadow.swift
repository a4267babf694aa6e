import Foundation

extension TaskStream {
  /// *Meadow*: five small tasks of original English texts that come with the package.
  ///
  /// desk, mood and intent are about one text; follows is about a pair; time is about one text again.
  /// - Throws: `DataError` if the resource files were changed.
  public static func meadow() throws -> TaskStream {
    try StreamLoader.load(Bundle.module.bundleURL.appendingPathComponent("Meadow"))
  }
}
