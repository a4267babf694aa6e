import Evaluation

/// A run over three experiences whose scores fall by `fall` a step.
func run(_ methods: [String], seed: Int = 0, rate: Double? = nil, fall: Double = 10) -> RunRecord {
  let noise = Double(seed)
  var run = RunRecord(
    id: "\(methods.joined())-\(seed)-\(rate ?? 0)", methods: methods, seed: seed, stream: "meadow",
    matrix: AccuracyMatrix(
      experiences: ["farm", "sea <b>", "sky & co"],
      rows: [
        [90 + noise, nil, nil], [90 - fall + noise, 80.25, nil], [90 - 2 * fall + noise, 80.25 - fall, 85.5],
      ]))
  run.learningRate = rate
  run.model = "MiniLM-L6"
  run.validation = run.matrix
  run.recipe = "model: minilm # <script>alert(1)</script>"
  run.command = "jay run runs/a/recipe.yaml --seeds \(seed)"
  run.environment = ["device": "cpu, 2 threads"]
  run.wallSeconds = 75
  run.steps = (1...30).map { step in
    StepRecord(
      step: step, experience: (step - 1) / 10, epoch: 0, loss: 2 / Double(step), learningRate: 1e-4, tokens: 100,
      tokensPerSecond: 900, residentBytes: 1_000_000, wallSeconds: Double(step))
  }
  return run
}

extension String {
  /// How often `part` occurs.
  func count(of part: String) -> Int { ranges(of: part).count }
}
