/// What a SentencePiece model file holds, as far as tokenizing needs it.
///
/// Numbers of fields and kinds: `sentencepiece_model.proto` of SentencePiece 0.2.
struct SentencePieceModel {
  enum Algorithm: UInt64 {
    case unigram = 1
    case bpe = 2
    case word = 3
    case character = 4
  }

  enum Kind: UInt64 {
    case normal = 1
    case unknown = 2
    case control = 3
    case userDefined = 4
    case unused = 5
    case byte = 6
  }

  struct Piece {
    var text = ""
    var score = 0.0
    var kind = Kind.normal
  }

  private(set) var pieces: [Piece] = []
  private(set) var algorithm = Algorithm.unigram
  private(set) var fallsBackToBytes = false
  /// Empty where nothing is normalized.
  private(set) var characterMap: [UInt8] = []
  private(set) var addsDummyPrefix = true
  private(set) var removesExtraBlanks = true

  init(_ bytes: [UInt8]) throws(WireReader.Failure) {
    var reader = WireReader(bytes)
    while let (number, value) = try reader.next() {
      guard case .range(let range) = value else { continue }
      switch number {
      case 1: pieces.append(try SentencePieceModel.piece(WireReader(bytes, range)))
      case 2: try readTrainer(WireReader(bytes, range))
      case 3: try readNormalizer(WireReader(bytes, range))
      default: break
      }
    }
  }

  private static func piece(_ reader: WireReader) throws(WireReader.Failure) -> Piece {
    var reader = reader
    var piece = Piece()
    while let field = try reader.next() {
      switch field {
      case (1, .range(let range)): piece.text = String(decoding: reader.bytes[range], as: UTF8.self)
      case (2, .fixed32(let bits)): piece.score = Double(Float(bitPattern: bits))
      case (3, .varint(let kind)): piece.kind = Kind(rawValue: kind) ?? .normal
      default: break
      }
    }
    return piece
  }

  private mutating func readTrainer(_ reader: WireReader) throws(WireReader.Failure) {
    var reader = reader
    while let field = try reader.next() {
      switch field {
      case (3, .varint(let value)): algorithm = Algorithm(rawValue: value) ?? algorithm
      case (35, .varint(let value)): fallsBackToBytes = value != 0
      default: break
      }
    }
  }

  private mutating func readNormalizer(_ reader: WireReader) throws(WireReader.Failure) {
    var reader = reader
    while let field = try reader.next() {
      switch field {
      case (2, .range(let range)): characterMap = Array(reader.bytes[range])
      case (3, .varint(let value)): addsDummyPrefix = value != 0
      case (4, .varint(let value)): removesExtraBlanks = value != 0
      default: break
      }
    }
  }
}
