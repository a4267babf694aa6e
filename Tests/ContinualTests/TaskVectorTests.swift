import Continual
import Foundation
import Testing
import Torch

@Suite struct TaskVectorTests {
  private let base = ["w": Tensor([1, 2] as [Float]), "b": Tensor([0.5 as Float])]
  private let first = ["w": Tensor([2, 2] as [Float]), "b": Tensor([0.5 as Float])]
  private let second = ["w": Tensor([1, -2] as [Float]), "b": Tensor([1.5 as Float])]

  @Test func isWhatTrainingChanged() {
    #expect(TaskVector(from: base, to: second).tensors.mapValues { $0.values() } == ["w": [0, -4], "b": [1]])
  }

  @Test func addsAndScalesByName() {
    let other = TaskVector(["w": Tensor([2, 2] as [Float]), "c": Tensor([4 as Float])])
    let sum = 0.5 * (TaskVector(from: base, to: second) + other)
    #expect(sum.tensors.mapValues { $0.values() } == ["w": [1, -1], "b": [0.5], "c": [2]])
  }

  @Test func keepsItsValuesInAFile() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: url) }
    let vector = TaskVector(from: base, to: second)
    try vector.save(to: url)
    let read = try TaskVector(contentsOf: url)
    #expect(read.tensors.mapValues { $0.values() } == vector.tensors.mapValues { $0.values() })
  }

  @Test func taskArithmeticAddsEveryScaledVector() throws {
    let merged = try TaskArithmetic.merge(base: base, models: [first, second], strength: 0.5)
    #expect(merged.mapValues { $0.values() } == ["w": [1.5, 0], "b": [1]])
  }

  @Test func oneModelAtFullStrengthIsThatModel() throws {
    let merged = try TaskArithmetic.merge(base: base, models: [second], strength: 1)
    #expect(merged.mapValues { $0.values() } == second.mapValues { $0.values() })
  }

  @Test func keepsTheBasesDtypesAndItsIntegers() throws {
    let ids = ["ids": Tensor([7, 8] as [Int64])], others = ["ids": Tensor([1, 2] as [Int64])]
    let halved = base.mapValues { $0.to(.bfloat16) }.merging(ids) { $1 }
    let merged = try TaskArithmetic.merge(base: halved, models: [second.merging(others) { $1 }], strength: 1)
    #expect(merged["w"]?.dtype == .bfloat16)
    #expect(merged["ids"]?.scalars(Int64.self) == [7, 8])
  }

  @Test func namesEveryTensorThatDoesNotFit() {
    let wide = ["w": Tensor([1, 2, 3] as [Float]), "b": Tensor([0.5 as Float])]
    let other = ["w": Tensor([1, 2] as [Float]), "head": Tensor([0 as Float])]
    let error = #expect(throws: MergeError.self) {
      try TaskArithmetic.merge(base: base, models: [wide, other], strength: 1)
    }
    #expect(
      error?.errorDescription == """
        the models do not fit the base. Merge only models trained from this base, without task heads:
          model 1: 'w' is [3], in the base [2]
          model 2 lacks 'b'
          model 2 has 'head', which the base lacks
        """)
  }

  @Test(arguments: [(0.0, 1), (1.0, 0)]) func refusesAMergeThatChangesNothing(strength: Double, models: Int) {
    let models = Array(repeating: second, count: models)
    let error = #expect(throws: MergeError.self) {
      try TaskArithmetic.merge(base: base, models: models, strength: strength)
    }
    #expect(
      error?.errorDescription
        == "the merge changes nothing: no weight of the base moves by the \(models.count) model(s). "
        + "Check that they are not the base itself, and that the strength is not 0.")
  }

  @Test func refusesModelsThatAreTheBase() {
    #expect(throws: MergeError.changesNothing(models: 1)) {
      try TaskArithmetic.merge(base: base, models: [base], strength: 1)
    }
  }
}
