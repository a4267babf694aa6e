public import Foundation

/// A file of data as bytes.
public enum DataFile {
  /// All bytes, inflated where the file is gzip.
  public static func contents(of file: URL) throws(DataError) -> Data {
    do {
      return Data(try ByteReader(file).readAll())
    } catch {
      throw DataError(problems: [DataProblem(file: file.relativePath, line: nil, kind: error.problem)], more: 0)
    }
  }
}
