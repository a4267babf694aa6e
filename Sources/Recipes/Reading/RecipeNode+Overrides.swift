import Streams

extension RecipeNode {
  /// Sets one value by its path: `training.epochs=2`, `methods.migu.threshold=0.5`, `methods.0=lora`.
  ///
  /// The value is read as YAML. Missing sections are made; an entry of a list is named by its number, counted
  /// from 0, or by its name, and must exist.
  public mutating func set(_ override: String, into diagnostics: inout Diagnostics) {
    let origin = Origin.override(override)
    guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
      diagnostics.add(.override(reason: "expected key=value, such as training.epochs=2."), at: origin)
      return
    }
    let path = override[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard !path.contains("") else {
      diagnostics.add(.override(reason: "a key between the dots is empty. Write it as section.key."), at: origin)
      return
    }
    var document = YAMLDocument(String(override[override.index(after: equals)...]), of: origin)
    guard let value = document.root(at: String(override[..<equals]), into: &diagnostics) else { return }
    do {
      try set(value, along: path[...], under: "")
    } catch {
      diagnostics.add(error.mistake, at: origin)
    }
  }

  /// Why an override found no place.
  private struct Lost: Error {
    let mistake: RecipeMistake
    init(_ reason: String) { mistake = .override(reason: reason) }
  }

  private mutating func set(
    _ value: RecipeNode, along path: ArraySlice<String>, under parent: String
  ) throws(Lost) {
    guard let key = path.first else {
      self = value
      return
    }
    let rest = path.dropFirst()
    let here = join(parent, key)
    if case .list(var elements) = content {
      let index = try Self.index(of: key, in: elements, named: parent)
      try elements[index].setEntry(value, along: rest, under: here, called: key)
      content = .list(elements)
      return
    }
    guard var entries else {
      throw Lost("\(parent) is \(found), not a section, so it has no key '\(key)'.")
    }
    let index = entries.firstIndex { $0.key == key } ?? entries.endIndex
    if index == entries.endIndex {
      let empty = RecipeNode(.mapping([]), at: value.origin)
      entries.append(Entry(key: key, origin: value.origin, value: empty))
    }
    try entries[index].value.set(value, along: rest, under: here)
    content = .mapping(entries)
  }

  /// Sets inside an entry of a list that the path calls by `key`, its number or its name.
  ///
  /// The configuration of `lora` or `lora: {…}` is reached without naming it again.
  private mutating func setEntry(
    _ value: RecipeNode, along path: ArraySlice<String>, under parent: String, called key: String
  ) throws(Lost) {
    guard let next = path.first else {
      let isConfiguration = key == entryName && value.entries != nil
      self = isConfiguration ? RecipeNode(.mapping([Entry(key: key, origin: origin, value: value)]), at: origin) : value
      return
    }
    guard let name = entryName, next != name else {
      return try set(value, along: path, under: parent)
    }
    if case .scalar = content {
      let empty = RecipeNode(.mapping([]), at: value.origin)
      content = .mapping([Entry(key: name, origin: origin, value: empty)])
    }
    try set(value, along: [name] + path, under: parent)
  }

  /// The name of an entry written `name` or `name: {…}`.
  private var entryName: String? {
    switch content {
    case .scalar(let text, _): isNull ? nil : text
    case .mapping(let entries): entries.count == 1 && entries[0].value.entries != nil ? entries[0].key : nil
    case .list: nil
    }
  }

  private static func index(
    of key: String, in elements: [RecipeNode], named path: String
  ) throws(Lost) -> Int {
    if let index = Int(key) {
      if elements.indices.contains(index) { return index }
      throw Lost("\(path) has \(elements.count) entries, counted from 0, so there is no entry \(index).")
    }
    if let index = elements.firstIndex(where: { $0.entryName == key }) { return index }
    let names = elements.compactMap(\.entryName)
    let suggestion = Nearest.name(to: key, among: names).map { " Did you mean '\($0)'?" } ?? ""
    throw Lost("\(path) has no entry '\(key)'.\(suggestion) Entries: \(names.joined(separator: ", ")).")
  }
}
