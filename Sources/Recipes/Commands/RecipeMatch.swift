import Continual
import Evaluation
import Foundation

/// Which recipe of a folder a run is of.
struct RecipeMatch: Hashable {
  /// The recipe's file without its ending.
  let recipe: String
  /// Settings of the run that are not the recipe's.
  let changed: [String]

  /// A recipe and its name.
  typealias Named = (name: String, recipe: Recipe)

  /// The recipes of a folder by name; throws where there is none, or one cannot be read.
  static func recipes(in folder: URL) throws -> [Named] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let files = names.filter { $0.hasSuffix(".yaml") }.sorted()
    guard !files.isEmpty else { throw FiguresError.noRecipes(folder: folder.relativePath) }
    return try files.map { (String($0.dropLast(5)), try Recipe(file: folder.appendingPathComponent($0))) }
  }

  /// By all settings, else by the methods and a part of the run's path that is a recipe's name.
  init?(_ run: RunRecord, among recipes: [Named]) {
    guard let own = try? Recipe(yaml: run.recipe, name: run.id) else { return nil }
    let place = URL(fileURLWithPath: run.id).pathComponents.reversed()
    let nearest = recipes.filter { place.contains($0.name) } + recipes
    if let same = nearest.first(where: { own.differences(from: $0.recipe)?.isEmpty == true }) {
      (recipe, changed) = (same.name, [])
    } else if let name = place.first(where: { part in recipes.contains { $0.name == part } }),
      let named = recipes.first(where: { $0.name == name }), let changed = own.differences(from: named.recipe)
    {
      (recipe, self.changed) = (name, changed)
    } else {
      return nil
    }
  }

  /// The published order of a run's tasks; 0 where there is none.
  static func order(of run: RunRecord) -> Int { (try? Recipe(yaml: run.recipe, name: run.id))?.stream.order ?? 0 }
}

extension Recipe {
  /// Settings that are not another recipe's, but for those that the runs of one recipe differ in; nil where the methods
  /// are others.
  fileprivate func differences(from other: Recipe) -> [String]? {
    let (one, two) = (shared, other.shared)
    guard one.methodNames == two.methodNames else { return nil }
    let methods = zip(one.methods, two.methods).flatMap {
      RecipeWriter.differences($0.configuration, from: $1.configuration)
    }
    return RecipeWriter.differences(one.model, from: two.model)
      + RecipeWriter.differences(one.stream, from: two.stream) + methods
      + RecipeWriter.differences(one.training, from: two.training)
      + RecipeWriter.differences(one.evaluation, from: two.evaluation)
  }

  /// Settings besides the methods' that are not the defaults, and that all runs of one recipe have.
  var commonSettings: [String] {
    let one = shared, usual = Recipe().shared
    return RecipeWriter.differences(one.model, from: usual.model)
      + RecipeWriter.differences(one.stream, from: usual.stream)
      + RecipeWriter.differences(one.training, from: usual.training)
      + RecipeWriter.differences(one.evaluation, from: usual.evaluation)
  }

  /// What all runs of one recipe have in common: no seed, device, learning rate or order.
  private var shared: Recipe {
    var copy = resumable
    let defaults = TrainingSettings()
    copy.header = RecipeHeader()
    copy.stream.order = 0
    (copy.training.learningRate, copy.training.keepModels) = (defaults.learningRate, defaults.keepModels)
    return copy
  }
}
