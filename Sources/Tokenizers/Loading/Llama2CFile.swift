import Foundation

/// A tokenizer of llama2.c: `tokenizer.bin`, or `tok512.bin` and the like.
///
/// The file, little-endian: the bytes of the longest piece (int32), then for each piece its score (float32), how many
/// bytes it has (int32), and the bytes, blanks as they are. Piece 0 is the unknown one, 1 begins a text, 2 ends one, and
/// 3 to 258 stand for single bytes. A text gets a blank before it, even where it begins with one; special tokens are not
/// looked for in it.
/// Source: karpathy/llama2.c `run.c` at 350e04f. Golden: `llama2c.json`.
struct Llama2CFile {
  /// The usual names, in the order of looking.
  static let names = ["tokenizer.bin", "tok512.bin", "tok4096.bin"]

  private static let unknown: Int32 = 0
  private static let bos: Int32 = 1
  private static let eos: Int32 = 2
  private static let firstByte = 3

  private let pieces: [(text: String, score: Float)]
  private let file: String

  init(contentsOf url: URL) throws {
    file = url.path
    let bytes = try JSONField.bytes(of: url)
    var position = 0
    func word(at position: Int) throws -> UInt32 {
      guard position + 4 <= bytes.count else { throw TokenizerError.malformedPieces(file: url.path, byte: position) }
      return (0..<4).reduce(0) { $0 | UInt32(bytes[position + $1]) << UInt32(8 * $1) }
    }
    let longest = try word(at: 0)
    position = 4
    var pieces: [(text: String, score: Float)] = []
    while position < bytes.count {
      let (score, count) = (Float(bitPattern: try word(at: position)), try word(at: position + 4))
      let start = position + 8
      guard score.isFinite, 1...max(1, longest) ~= count, start + Int(count) <= bytes.count,
        let text = String(validating: bytes[start..<(start + Int(count))], as: UTF8.self)
      else { throw TokenizerError.malformedPieces(file: url.path, byte: position) }
      pieces.append((text, score))
      position = start + Int(count)
    }
    self.pieces = pieces
  }

  func tokenizer(_ settings: TokenizerSettings) throws -> PipelineTokenizer {
    let vocabulary = Vocabulary(pieces.enumerated().map { ($1.text, Int32($0)) })
    try check(vocabulary)
    let merges = MergeTable(
      cutting: pieces.enumerated().map { (Int32($0), $1.text, Double($1.score)) }, in: vocabulary)
    let prepends = settings.addsPrefixSpace ?? true
    let control = [Llama2CFile.unknown, Llama2CFile.bos, Llama2CFile.eos].map {
      AddedTokens.Token(content: pieces[Int($0)].text, id: $0, isSought: false)
    }
    let decoders: [any Decoder] = [ByteFallback(), Fuse()]
    var tokenizer = PipelineTokenizer(
      model: BPE(
        vocabulary, merges: merges, unknown: Llama2CFile.unknown,
        options: BPE.Options(fallsBackToBytes: true)),
      addedTokens: control + settings.addedTokens, normalizer: prepends ? Prepend(content: [0x20]) : nil,
      decoder: DecoderSequence(
        steps: prepends ? decoders + [StripDecoder(content: " ", start: 1, stop: 0)] : decoders))
    tokenizer.specialTokens = SpecialTokens(unk: Llama2CFile.unknown, bos: Llama2CFile.bos, eos: Llama2CFile.eos)
    tokenizer.postProcessor.template = .continued(
      bos: settings.addsBOS ?? true ? Llama2CFile.bos : nil, eos: settings.addsEOS ?? false ? Llama2CFile.eos : nil)
    return tokenizer
  }

  /// The bytes must stand at their places, and no piece twice.
  private func check(_ vocabulary: Vocabulary) throws(TokenizerError) {
    let bytes: [Int32?] = (0..<256).map { Int32(Llama2CFile.firstByte + $0) }
    guard vocabulary.byteTokens == bytes else {
      throw .inconsistent(
        file: file, path: "the pieces", problem: "those from 3 to 258 are not <0x00> to <0xFF>, as llama2.c needs")
    }
    guard let index = pieces.indices.first(where: { vocabulary[id: Int32($0)] == nil }) else { return }
    throw .inconsistent(file: file, path: "piece \(index)", problem: "the same piece comes again behind it")
  }
}
