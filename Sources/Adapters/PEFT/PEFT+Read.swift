public import Foundation
public import NN
import Torch

extension AdapterSet {
  /// Reads an adapter that huggingface/peft wrote and attaches it; `index` tells the sets of one model apart.
  ///
  /// Of a prompt for an encoder-decoder, the encoder's part is read; peft does not use the other.
  /// - Throws: `PEFTError`, `AdapterError`, or `SafeTensorsError`; then nothing is attached.
  public init(peft folder: URL, index: Int, seed: UInt64 = 0, in store: ParameterStore) throws {
    let configuration = try PEFTConfiguration(folder: folder)
    let url = folder.appendingPathComponent(PEFT.weightsName)
    guard FileManager.default.fileExists(atPath: url.path) else { throw PEFTError.noWeights(folder: folder.path) }
    let reader = PEFTReader(
      configuration: configuration, file: try SafeTensorsFile(url), store: store, index: index, seed: seed)
    switch configuration.type {
    case "LORA": self.init(try reader.loras())
    case "IA3": self.init(try reader.scales())
    case "PREFIX_TUNING": self.init(try reader.prefixes())
    default: self.init([try reader.prompt()])
    }
  }
}

/// Makes adapters from a file's tensors, once all of them were found to fit.
private struct PEFTReader {
  let configuration: PEFTConfiguration
  let file: SafeTensorsFile
  let store: ParameterStore
  let index: Int
  let seed: UInt64

  func loras() throws -> [any Adapter] {
    var problems = Problems()
    let found = layers(of: [PEFT.Part.a, PEFT.Part.b], &problems)
    var ranks: [Int] = []
    for (layer, module) in found {
      guard let a = file.entry(module + PEFT.Part.a) else { problems.missing.append(module + PEFT.Part.a); continue }
      guard let b = file.entry(module + PEFT.Part.b) else { problems.missing.append(module + PEFT.Part.b); continue }
      let rank = a.shape.first ?? 0
      problems.check(a, [max(1, rank), layer.inputs])
      problems.check(b, [layer.outputs, max(1, rank)])
      ranks.append(rank)
    }
    try problems.throwIfAny(file, isEmpty: found.isEmpty, PEFT.Part.a)
    let alpha = try configuration.number("lora_alpha"), isRankStabilized = configuration.isOn("use_rslora")
    return try zip(found, ranks).map { pair, rank in
      // α/√r, as α·√r/r.
      let scaled = isRankStabilized ? alpha * Double(rank).squareRoot() : alpha
      let lora = try fresh("\(pair.layer.name).lora.\(index)", "a") {
        LoRA(
          on: pair.layer, .init(rank: rank, alpha: scaled, dropout: configuration.dropout), index: index, seed: seed,
          in: store)
      }
      assign(pair.module + PEFT.Part.a, to: lora.a)
      assign(pair.module + PEFT.Part.b, to: lora.b)
      return lora
    }
  }

  func scales() throws -> [any Adapter] {
    var problems = Problems()
    let found = layers(of: [PEFT.Part.scales], &problems)
    var sides: [IA3.Side] = []
    for (layer, module) in found {
      guard let entry = file.entry(module + PEFT.Part.scales) else { continue }
      // A column for the output, a row for the input.
      let side = entry.shape.first == 1 && layer.outputs != 1 ? IA3.Side.input : .output
      problems.check(entry, side == .input ? [1, layer.inputs] : [layer.outputs, 1])
      sides.append(side)
    }
    try problems.throwIfAny(file, isEmpty: found.isEmpty, PEFT.Part.scales)
    return try zip(found, sides).map { pair, side in
      let scales = try fresh("\(pair.layer.name).ia3.\(index)", "scales") {
        IA3(on: pair.layer, side, index: index, seed: seed, in: store)
      }
      assign(pair.module + PEFT.Part.scales, to: scales.scales)
      return scales
    }
  }

  func prompt() throws -> any Adapter {
    guard let slot = store.promptSlot else { throw AdapterError.noPrompts }
    let count = Int(try configuration.number("num_virtual_tokens"))
    var problems = Problems()
    for entry in file.entries where entry.name != PEFT.promptKey { problems.unexpected.append(entry.name) }
    if let entry = file.entry(PEFT.promptKey) {
      // The decoder's part stands behind the encoder's.
      problems.check(entry, [entry.shape.first == 2 * count ? 2 * count : count, slot.width])
    }
    try problems.throwIfAny(file, isEmpty: file.entry(PEFT.promptKey) == nil, PEFT.promptKey)
    let prompt = try fresh("prompt.\(index)", "vectors") {
      SoftPrompt(on: slot, count: count, index: index, seed: seed, in: store)
    }
    if let value = file[PEFT.promptKey] { prompt.vectors.assign(value.narrowed(0, 0..<count)) }
    return prompt
  }

  func prefixes() throws -> [any Adapter] {
    let slots = store.prefixSlots
    guard let first = slots.first else { throw AdapterError.noPrompts }
    let count = Int(try configuration.number("num_virtual_tokens"))
    let isDouble = (try? configuration.number("num_transformer_submodules")) == 2
    // A table of twice as many layers gives each layer of a decoder its own parts.
    let layers =
      isDouble && (try? configuration.number("num_layers")) == 2 * Double(slots.count)
      ? 2 * slots.count : slots.count
    var problems = Problems()
    for entry in file.entries where entry.name != PEFT.promptKey { problems.unexpected.append(entry.name) }
    if let entry = file.entry(PEFT.promptKey) {
      problems.check(entry, [count, 2 * layers * first.heads * first.headWidth])
    }
    try problems.throwIfAny(file, isEmpty: file.entry(PEFT.promptKey) == nil, PEFT.promptKey)
    guard let table = file[PEFT.promptKey]?.reshaped(count, 2 * layers, first.heads, first.headWidth) else {
      return []
    }
    // Keys and values of layer 0, 1, …; for encoder-decoders peft lays the table out twice and gives each layer four of
    // its parts, of which the decoder's own attention reads the first two.
    let stride = isDouble ? 4 : 2
    return try slots.enumerated().map { layer, slot in
      let prefix = try fresh("\(slot.name).prefix.\(index)", "keys") {
        Prefix(on: slot, count: count, index: index, seed: seed, in: store)
      }
      prefix.keys.assign(table.at(1, stride * layer % (2 * layers)))
      prefix.values.assign(table.at(1, (stride * layer + 1) % (2 * layers)))
      return prefix
    }
  }

  /// The layers that have weights with these keys, in the model's order, and their modules' names in the file.
  private func layers(of parts: [String], _ problems: inout Problems) -> [(layer: Linear, module: String)] {
    var modules: [String: String] = [:]
    for name in file.entries.map(\.name) {
      guard let part = parts.first(where: name.hasSuffix), let layer = layer(String(name.dropLast(part.count))) else {
        problems.unexpected.append(name)
        continue
      }
      modules[layer.name] = String(name.dropLast(part.count))
    }
    return store.linears.compactMap { layer in
      layer.isTied ? nil : modules.removeValue(forKey: layer.name).map { (layer, $0) }
    }
  }

  /// The layer of a module: the one of that name, or of its end where peft adapted a model that wraps the backbone.
  private func layer(_ module: String) -> Linear? {
    guard module.hasPrefix(PEFT.root) else { return nil }
    let name = module.dropFirst(PEFT.root.count)
    return store.linears.filter { !$0.isTied && (name == $0.name || name.hasSuffix(".\($0.name)")) }
      .max { $0.name.count < $1.name.count }
  }

  private func fresh<Made>(_ kind: String, _ first: String, _ make: () -> Made) throws -> Made {
    if store["\(kind).\(first)"] != nil { throw AdapterError.taken(kind) }
    return make()
  }

  private func assign(_ key: String, to parameter: Parameter) {
    if let value = file[key] { parameter.assign(value.reshaped(parameter.shape)) }
  }
}

/// All that does not fit, for one error.
private struct Problems {
  var missing: [String] = []
  var misshapen: [String] = []
  var unexpected: [String] = []

  mutating func check(_ entry: SafeTensorsFile.Entry, _ shape: [Int]) {
    if entry.shape != shape { misshapen.append("\(entry.name) is \(entry.shape), not \(shape)") }
  }

  /// - Parameter isEmpty: whether the file has none of the tensors it should have.
  func throwIfAny(_ file: SafeTensorsFile, isEmpty: Bool, _ key: String) throws {
    let missing = missing + (isEmpty ? [key] : [])
    guard !missing.isEmpty || !misshapen.isEmpty || !unexpected.isEmpty else { return }
    throw PEFTError.mismatch(
      file: file.url.path, missing: missing, misshapen: misshapen, unexpected: unexpected.sorted())
  }
}
