import Continual
import Foundation
import Recipes
import Testing

@Suite struct RecipeMistakeTests {
  @Test func unknownKey() {
    let yaml = "methods:\n  treshold: 0.5\n"
    #expect(
      read(ToyMethod.self, yaml, at: "methods").mistakes
        == "recipe.yaml:2:3: unknown key 'treshold' in methods. Did you mean 'threshold'? Keys: threshold, layers.")
  }

  @Test func unknownKeyThatIsLikeNoOther() {
    let yaml = "methods:\n  color: blue\n"
    #expect(
      read(ToyMethod.self, yaml, at: "methods").mistakes
        == "recipe.yaml:2:3: unknown key 'color' in methods. Keys: threshold, layers.")
  }

  @Test func unknownKeyOfANestedSection() {
    let yaml = "training:\n  schedule:\n    kid: cosine\n"
    #expect(
      read(ToyTraining.self, yaml, at: "training").mistakes
        == "recipe.yaml:3:5: unknown key 'kid' in training.schedule. Did you mean 'kind'? Keys: warmup, kind.")
  }

  @Test(arguments: [
    ("epochs: many", "3:11: training.epochs must be a whole number, but found 'many'."),
    ("epochs: 0.5", "3:11: training.epochs must be a whole number, but found '0.5'."),
    ("epochs:", "3:10: training.epochs must be a whole number, but found nothing."),
    ("learningRate: '0.5'", "3:17: training.learningRate must be a number, but found the string '0.5'."),
    ("clipNorm: soft", "3:13: training.clipNorm must be a number or null, but found 'soft'."),
    ("shuffles: 1", "3:13: training.shuffles must be true or false, but found '1'."),
    ("decays: 0.9", "3:11: training.decays must be a list like [a, b], but found '0.9'."),
    ("decays: [0.9, no]", "3:17: training.decays.1 must be a number, but found 'no'."),
    ("schedule: cosine", "3:13: training.schedule must be a section of keys, but found 'cosine'."),
    ("epochs: [1]", "3:11: training.epochs must be a whole number, but found a list."),
    ("epochs: {a: 1}", "3:11: training.epochs must be a whole number, but found a mapping with the keys a."),
    ("seed: -1", "3:9: training.seed must be a whole number from 0 to 18446744073709551615, but found '-1'."),
  ])
  func wrongType(line: String, sentence: String) {
    let yaml = "seed: 0\ntraining:\n  \(line)\n"
    #expect(read(ToyTraining.self, yaml, at: "training").mistakes == "recipe.yaml:\(sentence)")
  }

  @Test func sectionThatIsAList() {
    #expect(
      read(ToyTraining.self, "training: [1]", at: "training").mistakes
        == "recipe.yaml:1:11: training must be a section of keys, but found a list.")
  }

  @Test(arguments: [
    ("epochs: 0", "2:11: training.epochs must be at least 1, but found '0'."),
    ("learningRate: -1e-4", "2:17: training.learningRate must be greater than 0, but found '-1e-4'."),
    ("decays: [0.5, 1]", "2:17: training.decays.1 must be at least 0 and below 1, but found '1'."),
    ("precision: bf61", "2:14: training.precision must be one of fp32, bf16, but found 'bf61'. Did you mean 'bf16'?"),
    ("schedule: {kind: square}", "2:20: training.schedule.kind must be one of constant, cosine, but found 'square'."),
  ])
  func notAllowed(line: String, sentence: String) {
    let yaml = "training:\n  \(line)\n"
    #expect(read(ToyTraining.self, yaml, at: "training").mistakes == "recipe.yaml:\(sentence)")
  }

  @Test func outOfRange() {
    #expect(
      read(ToyMethod.self, "migu: {threshold: 1.5}", at: "migu").mistakes
        == "recipe.yaml:1:19: migu.threshold must be from 0 to 1, but found '1.5'.")
  }

  @Test func missingKey() {
    #expect(
      read(ToyStream.self, "seed: 0\nstream:\n  tasks: [a]\n", at: "stream").mistakes
        == "recipe.yaml:3:3: missing key 'name' in stream: the stream's name. Add 'name: …'.")
    #expect(
      read(ToyStream.self, "seed: 0\n", at: "stream").mistakes
        == "recipe.yaml: missing key 'name' in stream: the stream's name. Add 'name: …'.")
  }

  @Test func unknownName() {
    var diagnostics = Diagnostics(file: "recipe.yaml")
    diagnostics.add(.unknownName("olora", kind: "method", known: ["migu", "o-lora"], listing: "jay list methods"))
    #expect(
      text(diagnostics) == "recipe.yaml: unknown method 'olora'. Did you mean 'o-lora'? All: jay list methods.")
  }

  @Test func mistakesAreReportedTogetherInTheOrderOfTheFile() {
    let yaml = "training:\n  epochs: many\n  learningrate: 1\n  epochs: 2\n"
    #expect(
      read(ToyTraining.self, yaml, at: "training", set: ["training.seed=x", "nonsense"]).mistakes == """
        recipe.yaml:2:11: training.epochs must be a whole number, but found 'many'.
        recipe.yaml:3:3: unknown key 'learningrate' in training. Did you mean 'learningRate'? Keys: epochs, \
        learningRate, precision, clipNorm, decays, schedule, shuffles, seed.
        recipe.yaml:4:3: duplicate key 'epochs' in training, first given at recipe.yaml:2:3. Keep one of them.
        --set nonsense: expected key=value, such as training.epochs=2.
        --set training.seed=x: training.seed must be a whole number from 0 to 18446744073709551615, but found 'x'.
        """)
  }

  @Test(arguments: [
    (
      "beams: 4, temperature: 0.7",
      "1:37: evaluation.temperature was refused: a beam search draws nothing. Set beams: 1 to draw, or temperature: 0 to "
        + "search."
    ),
    (
      "topK: 5",
      "1:20: evaluation.topK was refused: it chooses among tokens to draw, and none is drawn. Set temperature: 1 to draw."
    ),
    (
      "beams: 2, topP: 0.9",
      "1:30: evaluation.topP was refused: it chooses among tokens to draw, and none is drawn. Set beams: 1 and "
        + "temperature: 1 to draw."
    ),
    ("temperature: 1, topP: 0", "1:36: evaluation.topP must be from 0.001 to 1, but found '0'."),
  ])
  func valuesThatContradictOneAnother(keys: String, sentence: String) {
    let yaml = "evaluation: {\(keys)}\n"
    #expect(read(EvaluationSettings.self, yaml, at: "evaluation").mistakes == "recipe.yaml:\(sentence)")
  }

  @Test func foundationPrintsTheSameText() {
    var diagnostics = Diagnostics(file: "recipe.yaml")
    diagnostics.add(.emptyDocument)
    let error: any Error = RecipeError.invalid(diagnostics.found)
    #expect(error.localizedDescription == "\(diagnostics.found[0])")
  }

  private func text(_ diagnostics: Diagnostics) -> String {
    do {
      try diagnostics.throwIfAny()
      return ""
    } catch {
      return "\(error)"
    }
  }
}
