import Continual
import Foundation

extension Catalog {
  /// A recipe that uses a method: the paper's row that it stands for, and what it came to here.
  public struct RecipeRow: Encodable, Sendable, Equatable {
    /// The recipe's file.
    public let recipe: String
    /// Empty where the recipe stands for no paper's row.
    public let source, row: String
    /// The paper's figures by name.
    public let reported: [String: Double]
    /// What is not as in the paper.
    public let note: String
    /// What it came to here, the mean over orders first; empty where it was not run.
    public let here: [Figures.Row]
    /// The columns `reported` and `here` of the table.
    let reportedText, hereText: String
    private enum CodingKeys: String, CodingKey { case recipe, source, row, reported, note, here }
  }

  /// The recipes that use a method. Only their text and the figures beside them are read.
  func recipeRows(of method: String) -> [RecipeRow] {
    var known: [URL: Figures] = [:]
    return recipeFiles.compactMap { file in
      guard let outline = RecipeOutline(file), outline.methods.contains(method) else { return nil }
      let folder = file.deletingLastPathComponent(), paper = outline.paper
      let figures = known[folder] ?? Figures.beside(folder)
      known[folder] = figures
      let rows = figures.rows(of: file.deletingPathExtension().lastPathComponent)
      return RecipeRow(
        recipe: file.relativePath, source: paper.source, row: paper.row, reported: paper.reported, note: paper.note,
        here: rows, reportedText: paper.figures,
        hereText: rows.first?.text(singles: Array(rows.dropFirst())) ?? "not run here")
    }
  }
}

extension Catalog.RecipeRow {
  /// An aligned table.
  static func table(_ rows: [Catalog.RecipeRow]) -> String {
    let lines = rows.map { row in
      let cells = [row.source, row.row, row.reportedText].map { $0.isEmpty ? "–" : $0 }
      return ["  \(row.recipe)"] + cells + [row.hereText]
    }
    return Output.table([["  recipe", "paper", "row", "reported", "here"]] + lines)
  }
}

/// What a recipe's text says of its methods and its paper, without the checks of its other sections.
struct RecipeOutline {
  let methods: [String]
  let paper: PaperSection

  /// nil for a file that is no recipe.
  init?(_ file: URL) {
    guard let data = FileManager.default.contents(atPath: file.path), let text = String(data: data, encoding: .utf8)
    else { return nil }
    var diagnostics = Diagnostics(file: file.lastPathComponent)
    guard let root = try? RecipeNode(yaml: text, into: &diagnostics), root["stream"] != nil else { return nil }
    let names = ConfigurationReader.entries(from: root["methods"], at: "methods", into: &diagnostics).map(\.name)
    methods = names.isEmpty ? ["finetune"] : names
    paper =
      root["paper"].map {
        ConfigurationReader.read(PaperSection.self, from: $0, at: "paper", into: &diagnostics)
      } ?? PaperSection()
  }
}
