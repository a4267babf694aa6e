import Crypto
public import Foundation
public import Streams

/// SHA-256 in hexadecimal, of what a run depends on.
public enum Fingerprint {
  public static func text(_ text: String) -> String { hex(SHA256.hash(data: Data(text.utf8))) }

  /// Of a file's bytes, read in pieces.
  public static func file(_ url: URL) throws -> String {
    guard let handle = try? FileHandle(forReadingFrom: url) else {
      throw CocoaError(.fileReadNoSuchFile, userInfo: [NSFilePathErrorKey: url.path])
    }
    defer { try? handle.close() }
    var hash = SHA256()
    while let data = try handle.read(upToCount: 1 << 22), !data.isEmpty { hash.update(data: data) }
    return hex(hash.finalize())
  }

  /// Of every text and label of a stream, in order, and of what it declares; of its first `count` experiences only,
  /// where there is a count.
  public static func stream(_ stream: TaskStream, first count: Int? = nil) -> String {
    var hash = SHA256()
    // Each field with its length, so that no text can pass for the border between two.
    func add(_ field: String) { hash.update(data: Data("\(field.utf8.count):\(field)".utf8)) }
    add("\(stream.declaration.hasTaskLabelAtTest) \(stream.sharesLabels)")
    for experience in stream.experiences.prefix(count ?? stream.count) {
      add(experience.name)
      add("\(experience.labels.count)")
      experience.labels.forEach(add)
      add(experience.prompt.template)
      for dataset in [experience.train, experience.validation, experience.test] {
        add("\(dataset.examples.count)")
        for example in dataset.examples {
          [example.id, example.text, example.pair.map { "+\($0)" } ?? "-", "\(example.label)"].forEach(add)
          example.answers.forEach(add)
          example.turns.forEach(add)
        }
      }
    }
    return hex(hash.finalize())
  }

  private static func hex(_ digest: SHA256.Digest) -> String {
    digest.map { String(format: "%02x", $0) }.joined()
  }
}

/// JSON as Jay writes it: sorted keys, so that equal values give equal bytes.
public enum JSON {
  public static func encode(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    return try encoder.encode(value)
  }

  /// One line, for logs.
  public static func line(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value) + Data([0x0A])
  }

  public static func decode<Value: Decodable>(_ type: Value.Type, from url: URL) throws -> Value {
    guard let data = FileManager.default.contents(atPath: url.path) else { throw JSONFileError.missing(url) }
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch { throw JSONFileError.broken(url) }
  }
}

/// A JSON file of a run that cannot be read.
public enum JSONFileError: LocalizedError, CustomStringConvertible {
  case missing(URL), broken(URL)

  public var description: String {
    switch self {
    case .missing(let url): "\(url.path) is missing. Name the folder of a run that 'jay run' wrote."
    case .broken(let url):
      "\(url.path) is not the JSON that Jay writes. Run 'jay verify' on the folder, or restore the file."
    }
  }
  public var errorDescription: String? { description }
}
