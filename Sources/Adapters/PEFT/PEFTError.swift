public import Foundation

/// An adapter in huggingface/peft's format that cannot be read or written.
public enum PEFTError: LocalizedError, CustomStringConvertible, Equatable {
  case noConfiguration(folder: String)
  case badConfiguration(file: String, reason: String)
  case unknownType(String, file: String)
  case unsupported([String], file: String)
  case noWeights(folder: String)
  case mismatch(file: String, missing: [String], misshapen: [String], unexpected: [String])
  case notMergeable(folder: String)
  case nothingToWrite
  case noForm([String])

  public var description: String {
    switch self {
    case .noConfiguration(let folder):
      "\(folder) has no adapter_config.json, so it is not an adapter in PEFT format."
    case .badConfiguration(let file, let reason): "\(file): \(reason)."
    case .unknownType(let type, let file):
      "\(file) holds an adapter of type '\(type)'. Supported: \(PEFT.types.joined(separator: ", "))."
    case .unsupported(let keys, let file):
      "\(file) asks for what Jay's adapters do not have: \(keys.joined(separator: "; ")). "
        + "Merge the adapter into its model with peft (merge_and_unload) and name that model."
    case .noWeights(let folder):
      "\(folder) has no adapter_model.safetensors; a pickle (adapter_model.bin) is never read. Save the adapter again "
        + "with save_pretrained(folder, safe_serialization=True)."
    case .mismatch(let file, let missing, let misshapen, let unexpected):
      "the adapter in \(file) does not fit the model." + Self.part("Missing", missing)
        + Self.part("Wrong shape", misshapen) + Self.part("No layer for", unexpected)
    case .notMergeable(let folder):
      "the adapter in \(folder) is a prompt or a prefix, which is no change of the weights. Name a LoRA or IA³ adapter, "
        + "or none."
    case .nothingToWrite:
      "this model has no adapter of its own: its weights are changed as a whole. Leave out --adapter."
    case .noForm(let kinds):
      "PEFT has no form for this model's adapters (\(kinds.joined(separator: ", "))). 'jay predict' and 'jay "
        + "evaluate' use the model in the run's folder; without --adapter adapters are merged in, where they can be."
    }
  }
  public var errorDescription: String? { description }

  private static func part(_ title: String, _ items: [String]) -> String {
    items.isEmpty ? "" : " \(title): \(items.joined(separator: "; "))."
  }
}
