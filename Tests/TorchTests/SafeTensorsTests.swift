import Foundation
import Testing
import Torch

/// A file as any writer might lay it out: header as given, then the values.
func safeTensors(_ header: String, _ values: [UInt8] = []) -> Data {
  var data = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
  data.append(contentsOf: header.utf8)
  data.append(contentsOf: values)
  return data
}

@Suite struct SafeTensorsTests {
  @Test func everyDtypeReturnsBitForBit() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("all.safetensors")
      let tensors = Dictionary(
        uniqueKeysWithValues: DType.allCases.map { dtype in
          (dtype.rawValue, Tensor([0, 1, 0, 1, 1, 0] as [Float], shape: [2, 3]).to(dtype))
        })
      let bytes = try SafeTensorsWriter.write(tensors, to: file)
      #expect(try Data(contentsOf: file).count == bytes)
      let read = try SafeTensorsFile(file)
      #expect(read.entries.count == DType.allCases.count)
      for dtype in DType.allCases {
        let tensor = try #require(read[dtype.rawValue])
        #expect(tensor.dtype == dtype && tensor.shape == [2, 3])
        #expect(tensor.values() == [0, 1, 0, 1, 1, 0])
      }
    }
  }

  @Test func specialNumbersEmptyTensorsAndScalarsReturn() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("special.safetensors")
      let special: [Float] = [.infinity, -.infinity, .nan, -0.0, .leastNonzeroMagnitude]
      try SafeTensorsWriter.write(
        ["special": Tensor(special), "empty": .zeros([0, 3]), "scalar": Tensor([2] as [Float], shape: [])], to: file)
      let tensors = try SafeTensorsFile(file).tensors()
      #expect(tensors["special"]?.scalars(Float.self).map(\.bitPattern) == special.map(\.bitPattern))
      #expect(tensors["empty"]?.shape == [0, 3])
      #expect(tensors["scalar"]?.shape == [])
      #expect(tensors["scalar"]?.item() == 2)
    }
  }

  @Test func aFileWithoutTensorsIsValid() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("none.safetensors")
      try SafeTensorsWriter.write([:], to: file)
      #expect(try SafeTensorsFile(file).tensors().isEmpty)
    }
  }

  @Test func metadataAndUnusualNamesReturn() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("names.safetensors")
      let name = "a \"quoted\"/\\ näme\n"
      try SafeTensorsWriter.write([name: .ones([1])], metadata: ["format": "pt", "note": "é\"\\"], to: file)
      let read = try SafeTensorsFile(file)
      #expect(read.metadata == ["format": "pt", "note": "é\"\\"])
      #expect(read.entry(name)?.shape == [1])
      #expect(read[name]?.item() == 1)
      #expect(read["other"] == nil)
      #expect(read.entry("other") == nil)
    }
  }

  @Test func viewsAreWrittenRowByRow() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("view.safetensors")
      try SafeTensorsWriter.write(["t": Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]).t], to: file)
      #expect(try SafeTensorsFile(file)["t"]?.values() == [1, 3, 2, 4])
    }
  }

  @Test func equalValuesGiveEqualBytes() throws {
    try withTemporaryFolder { folder in
      let names = (0..<40).map { "weight.\($0)" }
      let files = try [names, names.reversed()].map { order in
        let file = folder.appendingPathComponent(UUID().uuidString)
        let tensors = Dictionary(uniqueKeysWithValues: order.map { ($0, Tensor.full([3], Double($0.count))) })
        try SafeTensorsWriter.write(tensors, metadata: ["b": "1", "a": "2"], to: file)
        return try Data(contentsOf: file)
      }
      #expect(files[0] == files[1])
    }
  }

  @Test func everyTensorLiesAlignedToItsElements() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("aligned.safetensors")
      try SafeTensorsWriter.write(
        ["a": .ones([3], dtype: .uint8), "b": .ones([3], dtype: .float64), "c": .ones([3], dtype: .bfloat16)], to: file)
      #expect(try SafeTensorsFile(file).entries.map(\.name) == ["b", "c", "a"])
      let length = try Data(contentsOf: file).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
      #expect((Int(length) + 8) % 64 == 0)
    }
  }

  @Test func filesOfOtherWritersMayBeUnaligned() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("odd.safetensors")
      let b = #""b":{"dtype":"F32","shape":[2],"data_offsets":[1,9],"extra":1}"#
      let a = #""a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#
      try safeTensors("{\(b),\(a)} ", [7, 0, 0, 192, 63, 0, 0, 0, 192]).write(to: file)
      let read = try SafeTensorsFile(file)
      #expect(read.entries.map(\.name) == ["a", "b"], "in order of their place")
      #expect(read["a"]?.scalars(UInt8.self) == [7])
      #expect(read["b"]?.values() == [1.5, -2])
    }
  }

  @Test func writingToATensorNeverChangesTheFile() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("kept.safetensors")
      try SafeTensorsWriter.write(["w": .ones([5000]), "v": .ones([10])], to: file)
      let before = try Data(contentsOf: file)
      let read = try SafeTensorsFile(file)
      let weight = try #require(read["w"])
      weight.fill(-3)
      weight.add(.ones([1]), scale: 2)
      #expect(weight.values().allSatisfy { $0 == -1 })
      #expect(read["v"]?.values().allSatisfy { $0 == 1 } == true, "its neighbour is untouched")
      #expect(try Data(contentsOf: file) == before)
    }
  }

  @Test func tensorsOutliveTheFileAndItsReplacement() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("replaced.safetensors")
      try SafeTensorsWriter.write(["w": .ones([5000])], to: url)
      var file: SafeTensorsFile? = try SafeTensorsFile(url)
      let weight = try #require(file?["w"])
      file = nil
      try SafeTensorsWriter.write(["w": .zeros([5000])], to: url)
      #expect(weight.values().allSatisfy { $0 == 1 })
      #expect(try SafeTensorsFile(url)["w"]?.values().allSatisfy { $0 == 0 } == true)
    }
  }
}
