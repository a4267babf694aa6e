public import Foundation

/// Where a key or value of a recipe was written.
public enum Origin: Sendable, Equatable {
  /// Somewhere in a file, or missing from it.
  case file(String)
  /// A place in a file; line and column count from 1.
  case position(file: String, line: Int, column: Int)
  /// An override of the command line, such as `training.epochs=2`.
  case override(String)
}

extension Origin: CustomStringConvertible {
  /// `recipe.yaml:7:5`, or `--set training.epochs=2` (cut where the value is long).
  public var description: String {
    switch self {
    case .file(let file): file
    case .position(let file, let line, let column): "\(file):\(line):\(column)"
    case .override(let text): "--set " + (text.count > 60 ? text.prefix(59) + "…" : text)
    }
  }

  /// Whole file first, then by place, then the overrides.
  fileprivate var rank: (Int, Int, Int) {
    switch self {
    case .file: (0, 0, 0)
    case .position(_, let line, let column): (1, line, column)
    case .override: (2, 0, 0)
    }
  }
}

/// One mistake and its place.
public struct Diagnostic: Sendable, Equatable, CustomStringConvertible {
  /// Where.
  public let origin: Origin
  /// What.
  public let mistake: RecipeMistake

  /// `recipe.yaml:7:5: unknown key …`.
  public var description: String { "\(origin): \(mistake)" }
}

/// The mistakes found so far in one recipe; reading goes on past each of them.
public struct Diagnostics: Sendable {
  /// The recipe's name as printed.
  public let file: String
  /// In the order in which they were found.
  public private(set) var found: [Diagnostic] = []

  /// Starts with none, for the recipe that the user knows as `file`.
  public init(file: String) {
    self.file = file
  }

  /// Notes a mistake; without an origin it belongs to the file as a whole.
  public mutating func add(_ mistake: RecipeMistake, at origin: Origin? = nil) {
    found.append(Diagnostic(origin: origin ?? .file(file), mistake: mistake))
  }

  /// Throws all mistakes as one error, unless there are none.
  public func throwIfAny() throws(RecipeError) {
    guard found.isEmpty else { throw RecipeError.invalid(inOrder) }
  }

  private var inOrder: [Diagnostic] {
    found.enumerated().sorted { first, second in
      let (one, other) = (first.element.origin.rank, second.element.origin.rank)
      return one == other ? first.offset < second.offset : one < other
    }.map(\.element)
  }
}

/// What is wrong with a recipe.
public enum RecipeError: Error, Equatable {
  /// Every mistake, in the order of the file, the overrides last.
  case invalid([Diagnostic])
}

extension RecipeError: CustomStringConvertible, LocalizedError {
  /// One line for each mistake.
  public var description: String {
    switch self {
    case .invalid(let diagnostics): diagnostics.map(\.description).joined(separator: "\n")
    }
  }

  /// The same text, for Foundation.
  public var errorDescription: String? { description }
}
