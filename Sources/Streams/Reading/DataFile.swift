public import Foundation

/// A file of data as bytes.
public enum DataFile {
  /// Whether it is a table, read by its columns: `.csv` and `.tsv`, each also with `.gz` behind it.
  public static func isTable(_ file: URL) -> Bool {
    if case .delimited = FileFormat(name: file.lastPathComponent) { true } else { false }
  }

  /// All bytes, inflated where the file is gzip.
  public static func contents(of file: URL) throws(DataError) -> Data {
    do {
      return Data(try ByteReader(file).readAll())
    } catch {
      throw DataError(problems: [DataProblem(file: file.relativePath, line: nil, kind: error.problem)], more: 0)
    }
  }
}
