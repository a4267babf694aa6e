import Foundation
import Models
import Testing
import Torch

@testable import Recipes

@Suite struct ModelMergeTests {
  @Test func aMergedModelIsTheBaseWithTheScaledChanges() throws {
    let scratch = try Scratch()
    let base = try scratch.places.model("bert-tiny")
    let original = try ModelDirectory(base)
    let models = try [1.0, 2.0].map { shift in
      let folder = scratch.url.appendingPathComponent("model-\(Int(shift))")
      let moved = original.tensors().mapValues { $0.dtype.isFloatingPoint ? $0 + shift : $0 }
      try original.write(moved, to: folder)
      return folder
    }
    let out = scratch.url.appendingPathComponent("merged")
    try ModelMerge.taskArithmetic(base: base, models: models, strength: 0.5, out: out)
    let merged = try ModelDirectory(out).tensors()
    for (name, tensor) in original.tensors() where tensor.dtype.isFloatingPoint {
      let gap = zip(try #require(merged[name]).values(), tensor.values()).map { abs($0 - $1 - 1.5) }.max() ?? 1
      #expect(gap < 1e-4, "\(name)")
    }
    #expect(FileManager.default.fileExists(atPath: out.appendingPathComponent("tokenizer.json").path))
    #expect(
      scratch.sentence { try ModelMerge.taskArithmetic(base: base, models: models, strength: 0.5, out: out) }.hasSuffix(
        "merged exists and is not empty. Choose another --out, or empty it."))
  }

  @Test func aMergeThatChangesNothingWritesNothing() throws {
    let scratch = try Scratch()
    let base = try scratch.places.model("bert-tiny")
    let out = scratch.url.appendingPathComponent("merged")
    #expect(
      scratch.sentence { try ModelMerge.taskArithmetic(base: base, models: [base], strength: 0.5, out: out) }
        .hasPrefix("the merge changes nothing"))
    #expect(!FileManager.default.fileExists(atPath: out.path))
  }
}
