public import Foundation

/// Why a tokenizer could not be loaded.
public enum TokenizerError: Error, Equatable {
  /// The folder holds no file a tokenizer can be read from.
  case noTokenizer(directory: String)
  /// A file is there and cannot be read.
  case unreadable(file: String, reason: String)
  /// A file is not JSON from `line`, `byte` (of the file, from 0) on.
  case malformedJSON(file: String, line: Int, byte: Int, expected: String)
  /// A value of a JSON file is missing or of the wrong type.
  case unexpectedValue(file: String, path: String, expected: String, found: String)
  /// A component this library does not have.
  case unsupportedComponent(file: String, path: String, found: String, supported: [String])
  /// A file is no SentencePiece model from `byte` on.
  case malformedModel(file: String, byte: Int)
  /// A file is no tokenizer of llama2.c from `byte` on.
  case malformedPieces(file: String, byte: Int)
  /// A file is none that a tokenizer is read from.
  case unknownFile(file: String)
  /// Values contradict each other.
  case inconsistent(file: String, path: String, problem: String)
}

extension TokenizerError: CustomStringConvertible, LocalizedError {
  /// What is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .noTokenizer(let directory):
      """
      No tokenizer in \(directory): it holds neither tokenizer.json nor vocab.txt, nor vocab.json with merges.txt, nor \
      a SentencePiece model (\(SentencePieceFile.names.joined(separator: ", "))), a tokenizer of llama2.c \
      (\(Llama2CFile.names.joined(separator: ", "))) or CLIP's \(CLIPFile.name). Copy one of them there from the \
      model's source, or name the folder that has it.
      """
    case .unreadable(let file, let reason):
      "Cannot read \(file): \(reason). Check that the file is there, is UTF-8 text and may be read."
    case .malformedJSON(let file, let line, let byte, let expected):
      """
      \(file):\(line): not JSON at byte \(byte), where \(expected) should be. The file is damaged or cut short: \
      fetch it again from the model's source.
      """
    case .unexpectedValue(let file, let path, let expected, let found):
      """
      \(file): \(path) is \(found) and should be \(expected). Fetch the file again, or write it anew with \
      huggingface/tokenizers.
      """
    case .unsupportedComponent(let file, let path, let found, let supported):
      """
      \(file): \(path) is \(found), which is not supported. Supported there: \(supported.joined(separator: ", ")). \
      Choose a model that uses one of these.
      """
    case .malformedModel(let file, let byte):
      """
      \(file): not a SentencePiece model at byte \(byte). The file is damaged or cut short, or a text that stands for \
      one: fetch it again from the model's source.
      """
    case .malformedPieces(let file, let byte):
      """
      \(file): not a tokenizer of llama2.c at byte \(byte). The file is damaged or cut short, or of another kind: fetch \
      it again from the model's source.
      """
    case .unknownFile(let file):
      """
      \(file): its name is none of a tokenizer's. Name the folder it is in, or one of tokenizer.json, vocab.json, \
      vocab.txt, a SentencePiece model (.model), a tokenizer of llama2.c (.bin) or CLIP's \(CLIPFile.name).
      """
    case .inconsistent(let file, let path, let problem):
      "\(file): \(path): \(problem). Correct the file, or fetch it again from the model's source."
    }
  }

  /// The same sentence, for `localizedDescription`.
  public var errorDescription: String? { description }
}
