import Foundation
import Recipes

/// Model directories with no weights, which are drawn, and the tokenizer of `bert-tiny`.
enum TinyTextModel: String {
  case decoder = """
    {"model_type": "llama", "vocab_size": 100, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
     "num_attention_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "tie_word_embeddings": false,
     "eos_token_id": 3, "initializer_range": 0.2}
    """
  case encoderDecoder = """
    {"model_type": "t5", "vocab_size": 100, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2,
     "dropout_rate": 0.0, "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 3,
     "tie_word_embeddings": true}
    """

  /// Writes it to a folder of `scratch` and returns the folder's path.
  func write(to scratch: Scratch) throws -> String {
    let folder = scratch.url.appendingPathComponent("text-model")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["tokenizer.json", "tokenizer_config.json", "vocab.txt"] {
      try FileManager.default.copyItem(
        at: scratch.places.models.appendingPathComponent("bert-tiny/\(name)"), to: folder.appendingPathComponent(name))
    }
    try scratch.write(rawValue, to: "text-model/config.json")
    return folder.path
  }
}
