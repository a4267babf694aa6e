import Continual
import Evaluation
public import Foundation
import Models
import Streams
import Tokenizers
import Torch

extension Catalog {
  /// All that is known of one name.
  public struct Page: Encodable, Sendable, Equatable {
    public struct Fact: Encodable, Sendable, Equatable {
      public let name: String
      public let value: String
    }
    public struct Key: Encodable, Sendable, Equatable {
      public let name: String
      /// The default, as a recipe writes it.
      public let value: String
      public let summary: String
    }
    public let name: String
    public let summary: String
    public var facts: [Fact] = []
    public var keys: [Key] = []
    /// Of a method: the recipes that use it.
    public var recipes: [RecipeRow] = []
  }

  /// The page of a method, metric, stream or model, or of `recipe`, which has every key of a recipe.
  public func page(_ name: String) throws -> Page {
    if name == "recipe" { return Self.recipePage }
    if let type = MethodIndex.named(name) {
      var page = Self.page(of: type)
      page.recipes = recipeRows(of: name)
      return page
    }
    if let metric = Metric.named(name) { return Self.page(of: metric) }
    if let page = try streamPage(name) { return page }
    if let page = modelPage(name) { return page }
    let known = try Kind.allCases.filter { $0 != .recipes }.flatMap { try items($0).map(\.name) } + ["recipe"]
    throw CatalogError.unknown(name, nearest: Nearest.name(to: name, among: known))
  }

  private static var recipePage: Page {
    let recipe = Recipe()
    let sections: [(String, any ConfigurationSection)] = [
      ("model.", recipe.model), ("stream.", recipe.stream), ("training.", recipe.training),
      ("evaluation.", recipe.evaluation), ("paper.", recipe.paper),
    ]
    return Page(
      name: "recipe", summary: "every key of a recipe, with its default",
      facts: [Page.Fact(name: "methods", value: "a list of names, or of 'name: {key: value}'; jay list methods")],
      keys: keys(of: recipe.header) + sections.flatMap { keys(of: $1, prefix: $0) })
  }

  private static func page(of type: any ContinualMethod.Type) -> Page {
    let card = type.card
    let needs: [(MethodCard.Requirements, String)] = [
      (.taskLabelAtTest, "the task label when it predicts"), (.boundaries, "to be told where an experience ends"),
      (.pastData, "the data of earlier experiences"), (.heads, "classification heads"),
      (.encoderDecoder, "an encoder-decoder (T5)"),
    ]
    let required = needs.filter { card.requires.contains($0.0) }.map(\.1)
    return Page(
      name: card.name, summary: card.summary,
      facts: [
        .init(name: "family", value: card.family.rawValue),
        .init(name: "paper", value: "\(card.paper.text) \(card.paper.url)"),
        .init(name: "needs", value: required.isEmpty ? "nothing" : required.joined(separator: "; ")),
        .init(name: "keeps", value: card.keeps),
      ], keys: keys(of: MethodIndex.configuration(of: type)))
  }

  private static func page(of metric: Metric) -> Page {
    Page(
      name: metric.id, summary: "\(metric.name) (\(metric.symbol)), \(metric.unit)",
      facts: [
        .init(name: "formula", value: metric.formula),
        .init(name: "better", value: metric.higherIsBetter ? "higher" : "lower"),
        .init(name: "source", value: "\(metric.source.text) \(metric.source.url)"),
      ])
  }

  private func streamPage(_ name: String) throws -> Page? {
    if name == "folder" { return Self.folderPage }
    let isRegistered = try DataRegistry(home: places.home).list().contains { $0.name == name }
    guard isRegistered || name == "meadow" else {
      return StreamIndex.entries.first { $0.name == name }.map { Page(name: name, summary: $0.summary) }
    }
    let report = try DataDesk(places: places).report(name)
    return Page(
      name: name,
      summary: "\(report.experiences.count) experiences, \(report.classCount) classes, \(report.scenario.rawValue)",
      facts: report.experiences.map { experience in
        .init(
          name: experience.name,
          value: "\(experience.train.count) train, \(experience.test.count) test; "
            + experience.labels.joined(separator: ", "))
      })
  }

  private static var folderPage: Page {
    func keys(_ keys: [StreamFileKey], prefix: String = "") -> [Page.Key] {
      keys.map { Page.Key(name: prefix + $0.name, value: $0.value, summary: $0.summary) }
    }
    let example =
      #"{"name": "tickets", "experiences": [{"name": "march", "train": "march.csv", "test": "march-test.csv"}]}"#
    return Page(
      name: "folder", summary: "any folder with a stream.json that names its tasks and files",
      facts: [
        .init(
          name: "in a recipe", value: "stream: {name: folder, folder: PATH}, or the name that 'jay data add' gave it"),
        .init(name: "stream.json", value: example),
      ],
      keys: keys(StreamFileKey.stream) + keys(StreamFileKey.experience, prefix: "experiences[]."))
  }

  private func modelPage(_ name: String) -> Page? {
    if let entry = ModelIndex.entries.first(where: { $0.architecture == name }) {
      return Page(name: name, summary: entry.summary)
    }
    guard let url = try? places.model(name), let directory = try? ModelDirectory(url) else { return nil }
    let tensors = directory.tensors().filter { $0.value.dtype.isFloatingPoint }
    let vocabulary = (try? TokenizerLoader.load(from: url)).map { String($0.vocabularySize) } ?? "no tokenizer found"
    return Page(
      name: name, summary: "a model directory of the architecture \(directory.architecture)",
      facts: [
        .init(name: "folder", value: url.path),
        .init(name: "weights", value: "\(tensors.values.reduce(0) { $0 + $1.count }) in \(tensors.count) tensors"),
        .init(name: "vocabulary", value: vocabulary),
      ])
  }

  private static func keys(of section: any ConfigurationSection, prefix: String = "") -> [Page.Key] {
    ConfigurationField.all(of: section).map { field in
      let bound = field.key.allowed.map { " (\($0.description))" } ?? ""
      return Page.Key(
        name: prefix + field.key.name, value: YAMLText.value(of: field), summary: field.key.summary + bound)
    }
  }
}

extension Catalog.Page {
  /// The page for a terminal.
  public var text: String {
    var parts = ["\(name): \(summary)"]
    if !facts.isEmpty { parts.append(Output.table(facts.map { ["  \($0.name)", $0.value] })) }
    if !keys.isEmpty {
      parts.append(
        Output.table([["  key", "default", "meaning"]] + keys.map { ["  \($0.name)", $0.value, $0.summary] }))
    }
    if !recipes.isEmpty { parts.append(Catalog.RecipeRow.table(recipes)) }
    return parts.joined(separator: "\n\n")
  }
}

/// A name that nothing has.
public enum CatalogError: LocalizedError, CustomStringConvertible, Equatable {
  case unknown(String, nearest: String?)

  public var description: String {
    switch self {
    case .unknown(let name, let nearest):
      "nothing is named '\(name)'.\(nearest.map { " Did you mean '\($0)'?" } ?? "") All names: jay list methods, "
        + "jay list streams, jay list models, jay list metrics; 'jay show recipe' shows the keys of a recipe."
    }
  }
  public var errorDescription: String? { description }
}
