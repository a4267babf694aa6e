extension RecipeNode {
  /// Reads a recipe's text and lays the overrides (`key=value`, dots between keys) over it.
  ///
  /// The mistakes of text and overrides go to `diagnostics`. Text that is not YAML leaves nothing to read:
  /// then all mistakes so far are thrown.
  public init(yaml: String, overrides: [String] = [], into diagnostics: inout Diagnostics) throws(RecipeError) {
    guard let root = Self.document(yaml, into: &diagnostics) else {
      try diagnostics.throwIfAny()
      fatalError("RecipeNode: \(diagnostics.file) gave neither a document nor a mistake")
    }
    self = root
    for override in overrides {
      set(override, into: &diagnostics)
    }
  }

  private static func document(_ yaml: String, into diagnostics: inout Diagnostics) -> RecipeNode? {
    var document = YAMLDocument(yaml, in: diagnostics.file)
    guard let root = document.root(into: &diagnostics) else { return nil }
    if root.isNull {
      diagnostics.add(.emptyDocument)
    } else if root.entries == nil {
      diagnostics.add(.wrongType(path: "", expected: "keys with values", found: root.found), at: root.origin)
    }
    return root.entries == nil ? RecipeNode(.mapping([]), at: root.origin) : root
  }
}
