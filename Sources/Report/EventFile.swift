public import Foundation

/// A TensorBoard event file of scalars.
///
/// TFRecord framing (length, its checksum, data, its checksum; CRC-32C, masked) around `tensorflow.Event` messages
/// in protobuf's wire format, of which scalars need three messages and six fields.
/// Source: tensorflow/core/lib/io/record_writer.h and core/util/event.proto.
public struct EventFile {
  public private(set) var data = Data()

  /// `date`, in seconds since 1970, is the file's own.
  public init(date: Double) {
    record(Self.double(1, date) + Self.bytes(3, Data("brain.Event:2".utf8)))
  }

  /// One value of one series.
  public mutating func add(_ tag: String, _ value: Double, step: Int, date: Double) {
    let scalar = Self.bytes(1, Data(tag.utf8)) + Self.float(2, Float(value))
    record(Self.double(1, date) + Self.integer(2, step) + Self.bytes(5, Self.bytes(1, scalar)))
  }

  private mutating func record(_ message: Data) {
    let length = Self.littleEndian(UInt64(message.count))
    data += length + Self.littleEndian(Self.maskedChecksum(length))
    data += message + Self.littleEndian(Self.maskedChecksum(message))
  }
}

// Protobuf's wire format: a key of field number and wire type, then the value.
extension EventFile {
  private static func double(_ field: Int, _ value: Double) -> Data {
    variableLength(field << 3 | 1) + littleEndian(value.bitPattern)
  }

  private static func float(_ field: Int, _ value: Float) -> Data {
    variableLength(field << 3 | 5) + littleEndian(value.bitPattern)
  }

  private static func integer(_ field: Int, _ value: Int) -> Data {
    variableLength(field << 3) + variableLength(value)
  }

  private static func bytes(_ field: Int, _ value: Data) -> Data {
    variableLength(field << 3 | 2) + variableLength(value.count) + value
  }

  private static func variableLength(_ value: Int) -> Data {
    var rest = UInt64(value), data = Data()
    while rest > 0x7F {
      data.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return data + [UInt8(rest)]
  }

  private static func littleEndian(_ value: some FixedWidthInteger) -> Data {
    withUnsafeBytes(of: value.littleEndian) { Data($0) }
  }
}

// Castagnoli's polynomial, bits reversed. TensorFlow masks checksums, since they are checked over again.
extension EventFile {
  private static let checksums: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
  }

  private static func maskedChecksum(_ data: Data) -> UInt32 {
    let checksum = ~data.reduce(~UInt32(0)) { $0 >> 8 ^ checksums[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}
