import Foundation

/// Adapters in the format of huggingface/peft: `adapter_config.json` and `adapter_model.safetensors`.
public enum PEFT {
  /// The values of `peft_type` that Jay reads and writes.
  public static let types = ["IA3", "LORA", "PREFIX_TUNING", "PROMPT_TUNING"]

  /// What the adapted model is for, as `task_type` says it.
  public enum Task: String, Sendable {
    case decoder = "CAUSAL_LM"
    case encoderDecoder = "SEQ_2_SEQ_LM"
    case encoder = "FEATURE_EXTRACTION"
  }

  static let configurationName = "adapter_config.json"
  static let weightsName = "adapter_model.safetensors"
  /// In front of the adapted layers' names.
  static let root = "base_model.model."

  /// The keys of a layer's weights, behind its name.
  enum Part {
    static let a = ".lora_A.weight"
    static let b = ".lora_B.weight"
    static let scales = ".ia3_l"
  }
  /// The key of a prompt's vectors, and of all layers' prefixes in one matrix.
  static let promptKey = "prompt_embeddings"
}
