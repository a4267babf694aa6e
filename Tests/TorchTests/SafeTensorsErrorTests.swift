import Foundation
import Testing
import Torch

@Suite struct SafeTensorsErrorTests {
  /// The sentence of reading `data`, without the path in front of it.
  private func complaint(_ data: Data) throws -> String? {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("x.safetensors")
      try data.write(to: file)
      return sentence { _ = try SafeTensorsFile(file) }?.replacingOccurrences(of: file.path, with: "FILE")
    }
  }

  private func tensor(_ fields: String) -> String { #"{"a":{\#(fields)}}"# }

  @Test func incompleteFilesAreNamed() throws {
    #expect(
      try complaint(Data()) == "FILE is incomplete: it has 0 bytes, fewer than the 8 of a header length. "
        + "Copy or download it again.")
    var long = safeTensors("{}")
    long[0] = 200
    #expect(
      try complaint(long)
        == "FILE is incomplete: its header claims 200 bytes, the file has 10. Copy or download it again.")
    #expect(
      try complaint(Data(repeating: 255, count: 16)) == "FILE is incomplete: its header claims 18446744073709551615 "
        + "bytes, the file has 16. Copy or download it again.")
    let short = safeTensors(tensor(#""dtype":"F32","shape":[2],"data_offsets":[0,8]"#), [0, 0, 0])
    #expect(
      try complaint(short)
        == "FILE is incomplete: 'a' ends at byte 8 of the values, which are 3. Copy or download it again.")
  }

  @Test func headersThatAreNotJSONAreNamed() throws {
    let expected = "FILE is not a valid safetensors file: the JSON header cannot be read. Copy or download it again."
    for header in ["", "{", "[]", "null", "{\"a\":1}", "{\"a\":{\"dtype\":3}}", "\u{0}\u{1}"] {
      #expect(try complaint(safeTensors(header)) == expected, "\(header)")
    }
  }

  @Test(arguments: [
    (#""dtype":"F32","shape":[-1],"data_offsets":[0,4]"#, "'a' has the shape [-1]"),
    (
      #""dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]"#,
      "'a' has the shape [4611686018427387904, 4]"
    ),
    (
      #""dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]"#,
      "'a' has the shape [0, 4611686018427387904, 4]"
    ),
    (#""dtype":"F32","shape":[2],"data_offsets":[0,4]"#, "'a' has offsets [0, 4] for 8 bytes"),
    (#""dtype":"F32","shape":[1],"data_offsets":[4,0]"#, "'a' has offsets [4, 0] for 4 bytes"),
    (#""dtype":"F32","shape":[1],"data_offsets":[-4,0]"#, "'a' has offsets [-4, 0] for 4 bytes"),
    (#""dtype":"F32","shape":[1],"data_offsets":[0]"#, "'a' has offsets [0] for 4 bytes"),
    (#""dtype":"F32""#, "'a' lacks dtype, shape or data_offsets"),
  ])
  func wrongRecordsAreNamed(_ fields: String, _ detail: String) throws {
    let expected = "FILE is not a valid safetensors file: \(detail). Copy or download it again."
    #expect(try complaint(safeTensors(tensor(fields), [0, 0, 0, 0])) == expected)
  }

  @Test(arguments: ["F8_E4M3", "U32", "F4"]) func dtypesThatAreNotReadAreNamed(_ dtype: String) throws {
    let file = safeTensors(tensor(#""dtype":"\#(dtype)","shape":[1],"data_offsets":[0,1]"#), [0, 0, 0, 0])
    #expect(
      try complaint(file) == "FILE holds 'a' in \(dtype), which Jay does not read. It reads F32, BF16, F16, F64, I64, "
        + "I32, U8, BOOL, I8, I16: save the model in one of them, as bfloat16, or name the one that a quantized model "
        + "was made of.")
  }

  @Test func offsetsAtTheEndOfTheNumbersAreAnError() throws {
    let fields = #""dtype":"F32","shape":[1],"data_offsets":[9223372036854775803,9223372036854775807]"#
    #expect(
      try complaint(safeTensors(tensor(fields))) == "FILE is incomplete: 'a' ends at byte 9223372036854775807 of the "
        + "values, which are 0. Copy or download it again.")
  }

  @Test func tensorsInOnePlaceAreAnError() throws {
    let record = { (name: String, offset: Int) in
      #""\#(name)":{"dtype":"U8","shape":[2],"data_offsets":[\#(offset),\#(offset + 2)]}"#
    }
    #expect(
      try complaint(safeTensors("{\(record("b", 1)),\(record("a", 0))}", [1, 2, 3]))
        == "FILE is not a valid safetensors file: 'a' and 'b' overlap. Copy or download it again.")
  }

  @Test func whatIsNotAFileCannotBeRead() throws {
    try withTemporaryFolder { folder in
      #expect(
        sentence { _ = try SafeTensorsFile(folder) }
          == "cannot read \(folder.path): it is not a file. Check the path and its permissions.")
      let absent = folder.appendingPathComponent("absent")
      #expect(
        sentence { _ = try SafeTensorsFile(absent) }
          == "cannot read \(absent.path): No such file or directory. Check the path and its permissions.")
    }
  }

  @Test func damagedFilesGiveErrorsOrTensors() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("fuzz.safetensors")
      try SafeTensorsWriter.write(
        ["a": .ones([2, 3]), "b": .ones([3], dtype: .bool), "c": .zeros([0])], metadata: ["k": "v"], to: file)
      let valid = try Data(contentsOf: file)
      var generator = Generator(seed: 99), errors = 0
      for _ in 0..<1000 {
        try damaged(valid, &generator).write(to: file)
        do {
          for tensor in try SafeTensorsFile(file).tensors().values { _ = tensor.values() }
        } catch is SafeTensorsError {
          errors += 1
        }
      }
      #expect(errors > 100 && errors < 1000, "\(errors)")
    }
  }

  /// One to four bytes replaced, by digits and signs of JSON half of the time, or the end cut off.
  private func damaged(_ valid: Data, _ generator: inout Generator) -> Data {
    var data = valid
    let symbols = Array("0123456789-[]{},:\"e. ".utf8)
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let place = Int.random(in: 0..<data.count, using: &generator)
      switch Int.random(in: 0..<8, using: &generator) {
      case 0: return data.prefix(place)
      case 1...4: data[place] = symbols.randomElement(using: &generator) ?? 0
      default: data[place] = UInt8.random(in: 0...255, using: &generator)
      }
    }
    return data
  }
}
