import Foundation

/// The keys of `adapter_config.json` that Jay reads. Which layers are adapted, and with what rank, is taken from the
/// weights' names and shapes, which say the same without patterns.
struct PEFTConfiguration {
  let type: String
  let file: String
  private let json: [String: Any]

  /// - Throws: `PEFTError`.
  init(folder: URL) throws {
    let url = folder.appendingPathComponent(PEFT.configurationName)
    guard let data = FileManager.default.contents(atPath: url.path) else {
      throw PEFTError.noConfiguration(folder: folder.path)
    }
    guard let json = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw PEFTError.badConfiguration(file: url.path, reason: "it is not a JSON object")
    }
    guard let type = json["peft_type"] as? String else {
      throw PEFTError.badConfiguration(file: url.path, reason: "the key 'peft_type' is missing")
    }
    (self.json, self.type, file) = (json, type, url.path)
    guard PEFT.types.contains(type) else { throw PEFTError.unknownType(type, file: file) }
    let unsupported = self.unsupported
    guard unsupported.isEmpty else { throw PEFTError.unsupported(unsupported, file: file) }
  }

  /// The number under a key that must be there.
  func number(_ key: String) throws -> Double {
    guard let number = (json[key] as? NSNumber)?.doubleValue, number > 0 else {
      throw PEFTError.badConfiguration(file: file, reason: "the key '\(key)' is missing or no number above 0")
    }
    return number
  }

  func isOn(_ key: String) -> Bool { Self.isOn(json[key]) }

  /// Dropout on the input of a LoRA in training.
  var dropout: Double { (json["lora_dropout"] as? NSNumber)?.doubleValue ?? 0 }

  /// What the adapter asks for and Jay lacks.
  private var unsupported: [String] {
    let switches = [
      "alora_invocation_tokens", "alpha_pattern", "arrow_config", "fan_in_fan_out", "layer_replication", "lora_bias",
      "modules_to_save", "target_parameters", "trainable_token_indices", "use_bdlora", "use_dora", "use_qalora",
    ]
    let bias = (json["bias"] as? String).flatMap { $0 == "none" ? nil : "bias: \($0)" }
    return [bias].compactMap { $0 } + switches.filter(isOn)
  }

  /// Anything but null, false and an empty list or mapping.
  private static func isOn(_ value: Any?) -> Bool {
    switch value {
    case nil, is NSNull: false
    case let list as [Any]: !list.isEmpty
    case let mapping as [String: Any]: !mapping.isEmpty
    case let number as NSNumber: number.boolValue
    default: true
    }
  }
}
