import Testing

@testable import Recipes

@Suite struct CompatibilityTests {
  @Test func aMethodOnHeadsIsRefusedForModelsThatAnswerInText() {
    #expect(
      "\(CompatibilityError.needsHeads(method: "lwf", architecture: "t5"))"
        == "'lwf' works on classification heads, but a model of type t5 answers in text. Choose another method, or an "
        + "encoder (jay list models).")
  }
}
