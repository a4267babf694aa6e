import Continual
import Recipes

struct ToyTraining: ConfigurationSection {
  enum Precision: String, Codable, CaseIterable { case fp32, bf16 }

  var epochs = 1
  var learningRate = 1.0
  var precision = Precision.fp32
  var clipNorm: Double?
  var decays = [0.9, 0.999]
  var schedule = ToySchedule(warmup: 10)
  var shuffles = true
  var seed: UInt64 = 0

  static let keys = [
    ConfigurationKey("epochs", "passes over each experience", allowed: .atLeast(1)),
    ConfigurationKey("learningRate", "of the optimizer", allowed: .positive),
    ConfigurationKey("precision", "of the forward pass"),
    ConfigurationKey("clipNorm", "largest gradient norm; null does not clip"),
    ConfigurationKey("decays", "of the two moments", allowed: .halfOpenRange(0..<1)),
    ConfigurationKey("schedule", "of the learning rate"),
    ConfigurationKey("shuffles", "whether the order changes in each epoch"),
    ConfigurationKey("seed", "of the order"),
  ]
}

struct ToySchedule: ConfigurationSection {
  var warmup = 0
  var kind = "constant"

  static let keys = [
    ConfigurationKey("warmup", "steps"),
    ConfigurationKey("kind", "of curve", allowed: .oneOf(["constant", "cosine"])),
  ]

  init() {}
  init(warmup: Int) { self.warmup = warmup }
}

struct ToyMethod: ConfigurationSection {
  var threshold = 0.7
  var layers: [Int]?
  static let keys = [
    ConfigurationKey("threshold", "share of rows that stay", allowed: .range(0...1)),
    ConfigurationKey("layers", "those to mask; null masks all", allowed: .atLeast(0)),
  ]
}

struct ToyStream: ConfigurationSection {
  var name = ""
  var tasks: [String] = []
  var weights: [String: Float] = [:]
  var parts: [ToySchedule] = []
  static let keys = [
    ConfigurationKey("name", "the stream's name", required: true),
    ConfigurationKey("tasks", "in their order"),
    ConfigurationKey("weights", "of the tasks"),
    ConfigurationKey("parts", "of a list"),
  ]
}

struct ToyHeader: ConfigurationSection {
  var model = ""
  var seed = 0
  static let keys = [
    ConfigurationKey("model", "a name or a model directory", required: true),
    ConfigurationKey("seed", "of everything random"),
  ]
}

/// A type that checks itself when it is decoded.
struct ToyEven: ConfigurationSection {
  struct Number: Codable, Equatable, Sendable {
    var value = 0
    init() {}
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      value = try container.decode(Int.self)
      guard value.isMultiple(of: 2) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(value) is odd.")
      }
    }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(value)
    }
  }
  var first = Number()
  var second = 1
  static let keys = [ConfigurationKey("first", "an even number"), ConfigurationKey("second", "any number")]
}

/// Reads one section and prints what was wrong, one line each.
func read<C: ConfigurationSection>(
  _ type: C.Type, _ yaml: String, at path: String, set overrides: [String] = []
) -> (value: C, mistakes: String) {
  var diagnostics = Diagnostics(file: "recipe.yaml")
  var value = C()
  do {
    let root = try RecipeNode(yaml: yaml, overrides: overrides, into: &diagnostics)
    value = ConfigurationReader.read(type, from: path.isEmpty ? root : root[path], at: path, into: &diagnostics)
    try diagnostics.throwIfAny()
    return (value, "")
  } catch {
    return (value, "\(error)")
  }
}
