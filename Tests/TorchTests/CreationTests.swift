import Foundation
import Testing
import Torch

@Suite struct CreationTests {
  @Test func constantsHaveShapeAndDtype() {
    #expect(difference(.full([2, 1], 1.5), [1.5, 1.5], shape: [2, 1]) == nil)
    #expect(difference(.zeros([2]), [0, 0]) == nil)
    #expect(difference(.ones([]), [1], shape: []) == nil)
    #expect(difference(.eye(2), [1, 0, 0, 1], shape: [2, 2]) == nil)
    let like = Tensor.zeros(like: Tensor([1, 2] as [Int32]))
    #expect(like.dtype == .int32 && like.shape == [2] && like.device == .cpu)
  }

  @Test func rangesCountFromTheirStart() {
    let range = Tensor.arange(3..<6)
    #expect(range.dtype == .int64)
    #expect(range.scalars(Int64.self) == [3, 4, 5])
    #expect(Tensor.arange(2..<2).shape == [0])
  }

  @Test(arguments: DType.allCases) func everyDtypeIsMadeAndRead(_ dtype: DType) {
    let ones = Tensor.ones([3], dtype: dtype)
    #expect(ones.dtype == dtype)
    #expect(ones.byteCount == 3 * dtype.byteWidth)
    #expect(ones.values() == [1, 1, 1])
    #expect(DType(rawValue: dtype.description) == dtype)
  }

  @Test func scalarsReturnAsTheyCame() {
    #expect(Tensor([1.25, -2] as [Double]).scalars(Double.self) == [1.25, -2])
    #expect(Tensor([Int64.max]).scalars(Int64.self) == [Int64.max])
    #expect(Tensor([Int32.min]).scalars(Int32.self) == [Int32.min])
    #expect(Tensor([255] as [UInt8]).scalars(UInt8.self) == [255])
    #expect(Tensor([true, false]).scalars(Bool.self) == [true, false])
    #expect(Tensor([] as [Float], shape: [0, 3]).shape == [0, 3])
  }

  @Test func conversionRoundsAndKeepsWhatIsEqual() {
    let x = Tensor([1.003, 257] as [Float])
    #expect(x.to(.bfloat16).values() == [1, 256])
    #expect(x.to(.int64).scalars(Int64.self) == [1, 257])
    #expect(x.to(.float32).isIdentical(to: x))
    #expect(!x.clone().isIdentical(to: x))
  }

  @Test func bytesAreShownRowByRow() {
    let square = Tensor([1, 2, 3, 4] as [UInt8], shape: [2, 2]), bytes = square.t.withBytes { [UInt8]($0) }
    #expect(bytes == [1, 3, 2, 4])
    // Where they lie, if they lie so.
    #expect(square.withBytes { first in square.withBytes { $0.baseAddress == first.baseAddress } })
    #expect(square.withBytes { [UInt8]($0) } == [1, 2, 3, 4])
    #expect(Tensor.zeros([0, 3]).withBytes(\.count) == 0)
    #expect(bytes.withUnsafeBytes { Tensor(bytes: $0, shape: [4], dtype: .uint8) }.scalars(UInt8.self) == bytes)
  }

  @Test func itemIsTheOnlyElement() {
    #expect(Tensor([2.5] as [Float], shape: [1, 1]).item() == 2.5)
    #expect(Tensor([true]).item() == 1)
  }

  @Test func propertiesDescribeATensor() {
    let x = Tensor.zeros([2, 3], dtype: .bfloat16)
    #expect((x.rank, x.count, x.byteCount) == (2, 6, 12))
    #expect((x.size(0), x.size(-1)) == (2, 3))
    #expect(Tensor([1, 2] as [Float]).description == "float32 [2] on cpu [1.0, 2.0]")
    #expect(Tensor.zeros([17]).description == "float32 [17] on cpu", "many values are not shown")
  }

  @Test func devicesAreReadByName() {
    #expect(Device("cpu") == .cpu)
    #expect(Device("mps") == .mps)
    #expect(Device("cuda") == .cuda(0))
    #expect(Device("cuda:2") == .cuda(2))
    for text in ["", "gpu", "cuda:", "cuda:-1", "cuda:x"] { #expect(Device(text) == nil, "\(text)") }
    #expect(Device.cuda(3).description == "cuda:3")
    #expect(Device.cpu.isAvailable)
    Device.cpu.synchronize()
  }

  @Test func dtypesKnowTheirWidth() {
    #expect(DType.allCases.filter(\.isFloatingPoint) == [.float32, .bfloat16, .float16, .float64])
    #expect(DType.allCases.map(\.byteWidth) == [4, 2, 2, 8, 8, 4, 1, 1, 1, 2])
  }

  @Test func theVersionIsLibtorchs() { #expect(Runtime.torchVersion.hasPrefix("2.")) }
}
