import Continual
import Evaluation
public import Foundation
import Models
import Streams

/// What there is to choose from, by name.
public struct Catalog {
  public enum Kind: String, CaseIterable, Sendable { case methods, streams, models, metrics, recipes }

  public struct Item: Encodable, Sendable, Equatable {
    public let name: String
    /// What it belongs to: a method's family, where a stream or model comes from, the paper's row of a recipe.
    public let group: String
    public let summary: String
  }

  let places: Places
  /// Folder of recipes.
  let recipes: URL

  public init(places: Places, recipes: URL) { (self.places, self.recipes) = (places, recipes) }

  public func items(_ kind: Kind) throws -> [Item] {
    switch kind {
    case .methods:
      MethodIndex.all.map { Item(name: $0.card.name, group: $0.card.family.rawValue, summary: $0.card.summary) }
    case .streams:
      StreamIndex.entries.map { Item(name: $0.name, group: "built in", summary: $0.summary) }
        + (try DataDesk(places: places).items())
    case .models:
      installedModels
        + ModelIndex.entries.map { Item(name: $0.architecture, group: "architecture", summary: $0.summary) }
    case .metrics: Metric.all.map { Item(name: $0.id, group: $0.unit, summary: $0.name) }
    case .recipes: recipeFiles.map(item)
    }
  }

  /// An aligned table.
  public static func text(_ items: [Item]) -> String {
    items.isEmpty
      ? "none; 'jay doctor' says where Jay looks" : Output.table(items.map { [$0.name, $0.group, $0.summary] })
  }

  private var installedModels: [Item] {
    names(in: places.models).compactMap { name in
      let folder = places.models.appendingPathComponent(name)
      guard let directory = try? ModelDirectory(folder) else { return nil }
      return Item(name: name, group: "installed", summary: "\(directory.architecture), \(folder.path)")
    }
  }

  private func item(_ file: URL) -> Item {
    let paper = RecipeOutline(file)?.paper.title ?? ""
    return Item(name: file.relativePath, group: paper.isEmpty ? "recipe" : paper, summary: Self.headline(file))
  }

  /// Those of the folder and of its subfolders, two levels deep.
  var recipeFiles: [URL] { files(in: "", levels: 2).map { recipes.appendingPathComponent($0) } }

  private func files(in folder: String, levels: Int) -> [String] {
    let place = folder.isEmpty ? recipes : recipes.appendingPathComponent(folder)
    let entries = names(in: place).map { folder.isEmpty ? $0 : "\(folder)/\($0)" }
    let own = entries.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
    return levels == 0 ? own : own + entries.filter { !own.contains($0) }.flatMap { files(in: $0, levels: levels - 1) }
  }

  private func names(in folder: URL) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
  }

  /// The comment in a recipe's first line.
  private static func headline(_ file: URL) -> String {
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    guard let line = text.split(separator: "\n").first, line.hasPrefix("#") else { return "" }
    return line.drop { $0 == "#" || $0 == " " }.trimmingCharacters(in: .whitespaces)
  }
}
