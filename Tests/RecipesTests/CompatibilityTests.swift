import Testing

@testable import Recipes

@Suite struct CompatibilityTests {
  @Test func aMethodOnHeadsIsRefusedForModelsThatAnswerInText() {
    #expect(
      "\(CompatibilityError.needsHeads(method: "lwf", architecture: "t5"))"
        == "'lwf' works on classification heads, but a model of type t5 answers in text. Choose another method, or an "
        + "encoder (jay list models).")
  }

  @Test func freeAnswersNeedALanguageModelAndAScore() {
    #expect(
      "\(CompatibilityError.needsText(experience: "qa", architecture: "bert"))"
        == "experience 'qa' asks for free texts, but a model of type bert answers with a class. Choose a language model "
        + "(jay list models).")
    #expect(
      "\(CompatibilityError.notScored(experience: "qa"))"
        == "experience 'qa' has no classes that could be scored: its answers are free texts. Set evaluation.answers: "
        + "rougeL, or exactMatch.")
  }
}
