public import Continual
public import Foundation

/// A run, fully described: model, stream, methods in order, training, evaluation, seed. With a seed it reproduces a run.
public struct Recipe: Sendable {
  public var header = RecipeHeader()
  public var model = ModelSection()
  public var stream = StreamSection()
  public var methods: [(name: String, configuration: any ConfigurationSection)] = []
  public var training = TrainingSettings()
  public var evaluation = EvaluationSettings()
  /// What the recipe reproduces; no part of the run.
  public var paper = PaperSection()

  public init() {}

  /// Reads a recipe file, with `--set` overrides; all mistakes are reported together.
  public init(file: URL, overrides: [String] = []) throws {
    guard let data = FileManager.default.contents(atPath: file.path) else {
      let isThere = FileManager.default.fileExists(atPath: file.path)
      throw isThere ? RecipeFileError.unreadable(file.path) : RecipeFileError.missing(file.path)
    }
    guard let text = String(data: data, encoding: .utf8) else { throw RecipeFileError.notText(file.path) }
    try self.init(yaml: text, name: file.relativePath, overrides: overrides)
  }

  /// `name` stands in messages before line numbers.
  public init(yaml: String, name: String, overrides: [String] = []) throws {
    var diagnostics = Diagnostics(file: name)
    var root = try RecipeNode(yaml: yaml, into: &diagnostics)
    for override in overrides {
      // Keys below `model: minilm` can be set too.
      for section in ["model", "stream"] { root[section] = root[section]?.named }
      root.set(override, into: &diagnostics)
    }
    let sections = ["model", "stream", "methods", "training", "evaluation", "paper"].map {
      ConfigurationKey($0, "a section", required: $0 == "stream")
    }
    header = ConfigurationReader.read(RecipeHeader.self, from: root, at: "", elsewhere: sections, into: &diagnostics)
    model = ConfigurationReader.read(
      ModelSection.self, from: root["model"]?.named, at: "model", into: &diagnostics)
    stream = ConfigurationReader.read(
      StreamSection.self, from: root["stream"]?.named, at: "stream", into: &diagnostics)
    training = ConfigurationReader.read(
      TrainingSettings.self, from: root["training"], at: "training", into: &diagnostics)
    evaluation = ConfigurationReader.read(
      EvaluationSettings.self, from: root["evaluation"], at: "evaluation", into: &diagnostics)
    if let node = root["paper"] {
      paper = ConfigurationReader.read(PaperSection.self, from: node, at: "paper", into: &diagnostics)
    }
    for entry in ConfigurationReader.entries(from: root["methods"], at: "methods", into: &diagnostics) {
      guard let type = MethodIndex.named(entry.name) else {
        diagnostics.add(
          .unknownName(
            entry.name, kind: "method", known: MethodIndex.all.map { $0.card.name }, listing: "jay list methods"),
          at: entry.origin)
        continue
      }
      methods.append((entry.name, Self.configuration(of: type, entry, into: &diagnostics)))
    }
    try diagnostics.throwIfAny()
    if methods.isEmpty { methods = [("finetune", NoConfiguration())] }
  }

  private static func configuration<M: ContinualMethod>(
    of type: M.Type, _ entry: NamedEntry, into diagnostics: inout Diagnostics
  ) -> any ConfigurationSection {
    ConfigurationReader.read(M.Configuration.self, from: entry.configuration, at: entry.path, into: &diagnostics)
  }

  /// The recipe with every key written out; equal recipes give equal text.
  public func yaml(comments: Bool = false) -> String {
    RecipeWriter.yaml(
      [
        .keys(header), .section("model", model), .section("stream", stream), .list("methods", methods),
        .section("training", training), .section("evaluation", evaluation),
      ] + (paper.isEmpty ? [] : [.section("paper", paper)]), comments: comments)
  }

  /// Methods as tables show them.
  public var methodNames: [String] { methods.map(\.name) }
}

/// The keys at the top of a recipe.
public struct RecipeHeader: ConfigurationSection {
  public var seed = 0
  public var device = "cpu"
  public init() {}
  public static let keys = [
    ConfigurationKey("seed", "root of every random number of the run", allowed: .atLeast(0)),
    ConfigurationKey("device", "cpu, cuda, cuda:N or mps"),
  ]
}

/// Which model, and how texts become one vector.
public struct ModelSection: ConfigurationSection {
  public var name = "minilm"
  public var tokenizer = ""
  public var startsFresh = false
  public var pooling = "mean"
  public var dropout = 0.1
  public var adapter = ""
  public var chatTemplate = ""
  public init() {}
  public static let keys = [
    ConfigurationKey(
      "name",
      "a model directory in Hugging Face format, the name of an installed one, or owner/name[@revision] on the Hub"),
    ConfigurationKey("tokenizer", "folder of the tokenizer, or a model of the Hub; empty for the model's own"),
    ConfigurationKey("startsFresh", "draw all weights anew, by the model's config.json alone"),
    ConfigurationKey("pooling", "how a text becomes one vector: mean or cls", allowed: .oneOf(["mean", "cls"])),
    ConfigurationKey("dropout", "dropout before the heads, in training", allowed: .halfOpenRange(0..<1)),
    ConfigurationKey(
      "adapter", "folder of a PEFT adapter (LoRA, IA³) that is merged into the weights before training; empty for none"),
    ConfigurationKey(
      "chatTemplate",
      "how conversations are written: llama2, llama3, mistral, chatml, or a folder; empty for the model's own"),
  ]
}

/// Which tasks, in which order, how many examples.
public struct StreamSection: ConfigurationSection {
  public var name = "meadow"
  public var folder = ""
  public var order = 0
  public var tasks: [String] = []
  public var trainCap = 0
  public var validationCap = 0
  public var testCap = 0
  public var validationShare = 0.1
  public var taskLabelAtTest = true
  public var domainLabelAtTest = false
  public var shuffleTasks = false
  public var dataSeed = 0
  public init() {}
  public static let keys = [
    ConfigurationKey(
      "name", "meadow, cl15, superni15, corpora, endtasks, instructions, a registered data set, or folder",
      required: true),
    ConfigurationKey(
      "folder",
      "where the data lie, for folder (also hub:owner/name[@revision]) and the public streams; empty for the registered place"
    ),
    ConfigurationKey(
      "order", "a published order of cl15 (1 to 6) or superni15 (1, 2); 0 for the tasks below", allowed: .range(0...6)),
    ConfigurationKey("tasks", "these tasks in this order; empty for all"),
    ConfigurationKey("trainCap", "most training examples per task, classes balanced; 0 for all", allowed: .atLeast(0)),
    ConfigurationKey("validationCap", "most validation examples per task; 0 for all", allowed: .atLeast(0)),
    ConfigurationKey("testCap", "most test examples per task; 0 for all", allowed: .atLeast(0)),
    ConfigurationKey(
      "validationShare", "share of train held out where a task has no validation split", allowed: .halfOpenRange(0..<1)),
    ConfigurationKey("taskLabelAtTest", "whether predictions are told their task"),
    ConfigurationKey(
      "domainLabelAtTest", "corpora: whether predictions are told their domain, of which texts themselves say nothing"),
    ConfigurationKey("shuffleTasks", "draw the order of the tasks from the recipe's seed"),
    ConfigurationKey(
      "dataSeed", "draws caps and hold-outs; apart from the recipe's seed, so that seeds share their data",
      allowed: .atLeast(0)),
  ]
}

extension RecipeNode {
  /// `model: minilm` means `model: {name: minilm}`.
  fileprivate var named: RecipeNode {
    guard case .scalar = content, !isNull else { return self }
    return RecipeNode(.mapping([Entry(key: "name", origin: origin, value: self)]), at: origin)
  }
}

/// A recipe file that cannot be read at all.
public enum RecipeFileError: LocalizedError, CustomStringConvertible {
  case missing(String), unreadable(String), notText(String)

  public var description: String {
    switch self {
    case .missing(let path): "there is no recipe at \(path). The recipes that come with Jay lie in the folder Recipes."
    case .unreadable(let path): "\(path) cannot be read. Check that it is a file, and its permissions."
    case .notText(let path): "\(path) is not UTF-8 text."
    }
  }
  public var errorDescription: String? { description }
}
