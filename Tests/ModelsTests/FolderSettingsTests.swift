import Foundation
import TestSupport
import Testing
import Torch

@testable import Models

/// What the files of a folder say, and what of it is refused.
@Suite struct FolderSettingsTests {
  private func sentence(_ folder: URL, _ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return error.localizedDescription.replacingOccurrences(of: folder.path, with: "FOLDER") }
  }

  @Test func theEndsOfGenerationComeFirst() throws {
    try withCopy("llama-tied") { folder in
      func ends() throws -> [Int32] { try ModelDirectory(folder).endTokens() }
      func generation(_ text: String) throws {
        try Data(text.utf8).write(to: folder.appendingPathComponent("generation_config.json"))
      }
      try folder.configure(["eos_token_id": 2])
      #expect(try ends() == [2])
      try generation(#"{"eos_token_id": [7, 9]}"#)
      #expect(try ends() == [7, 9])
      try generation(#"{"eos_token_id": 5, "temperature": 0.6}"#)
      #expect(try ends() == [5])
      for silent in ["{}", #"{"eos_token_id": null}"#] {
        try generation(silent)
        #expect(try ends() == [2])
      }
      try generation(#"{"eos_token_id": "x"}"#)
      #expect(
        sentence(folder) { _ = try ends() }?
          .hasPrefix("FOLDER/generation_config.json: the key 'eos_token_id' cannot be used: ") == true)
      try generation("[]")
      #expect(sentence(folder) { _ = try ends() } == "FOLDER/generation_config.json: it is not a JSON object.")
      try generation("{}")
      try folder.configure(["eos_token_id": nil])
      #expect(sentence(folder) { _ = try ends() } == "FOLDER/config.json: the key 'eos_token_id' is missing.")
    }
  }

  @Test(arguments: ["../model.safetensors", "/etc/passwd", "a/../../b", "./a", ""])
  func shardsOutsideTheFolderAreRefused(_ name: String) throws {
    try withCopy("llama-tied") { folder in
      try FileManager.default.removeItem(at: folder.weights)
      let index = try JSONSerialization.data(withJSONObject: ["weight_map": ["a": name]])
      try index.write(to: folder.appendingPathComponent("model.safetensors.index.json"))
      #expect(
        sentence(folder) { _ = try ModelDirectory(folder) }
          == "FOLDER/model.safetensors.index.json: the key 'weight_map' names the file '\(name)', whose path leads out of "
          + "the folder; do not trust it.")
    }
  }

  @Test(arguments: ["bert-tiny", "roberta-tiny"]) func decodersAmongEncodersAreRefused(_ name: String) throws {
    try withCopy(name) { folder in
      try folder.configure(["is_decoder": false])
      _ = try ModelDirectory(folder).decode(BERT.Configuration.self)
      try folder.configure(["is_decoder": true])
      #expect(
        sentence(folder) { _ = try ModelDirectory(folder).decode(BERT.Configuration.self) }
          == "FOLDER/config.json: the key 'is_decoder' cannot be used: Jay reads encoders of this family, whose tokens see "
          + "those behind them too.")
    }
  }

  @Test func numbersFarTooLargeAreRefused() throws {
    try withCopy("roberta-tiny") { folder in
      try folder.configure(["pad_token_id": Int.max])
      let sentence = sentence(folder) { _ = try ModelDirectory(folder).decode(BERT.Configuration.self) }
      #expect(
        sentence?.hasPrefix(
          "FOLDER/config.json: the key 'pad_token_id' cannot be used: the first position, 2147483648, is not one of ")
          == true, "\(sentence ?? "")")
    }
    let cases = [
      ("relative_attention_max_distance", "2147483647 is not a number from 5 to 1048576"),
      ("relative_attention_num_buckets", "2147483647 is not a number from 4 to 1048576"),
    ]
    for (key, reason) in cases {
      try withCopy("t5-gated") { folder in
        try folder.configure([key: Int(Int32.max)])
        #expect(
          sentence(folder) { _ = try ModelDirectory(folder).decode(T5.Configuration.self) }
            == "FOLDER/config.json: the key '\(key)' cannot be used: \(reason).")
      }
    }
  }

  /// Which of the places counts where more than one speaks: transformers 5.23.0, `AutoConfig` of a `llama`.
  @Test(
    arguments: [
      ("{}", 10_000, nil), (#"{"rope_theta": 5e5}"#, 5e5, nil),
      (#"{"rope_scaling": {"rope_type": "linear", "factor": 2, "rope_theta": 7e5}}"#, 7e5, 2),
      (#"{"rope_theta": 5e5, "rope_scaling": {"rope_type": "linear", "factor": 2, "rope_theta": 7e5}}"#, 7e5, 2),
      (#"{"rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2}}"#, 5e5, 2),
      (#"{"rope_parameters": {"rope_type": "default", "rope_theta": 8e5}}"#, 8e5, nil),
      (#"{"rope_theta": 5e5, "rope_parameters": {"rope_type": "default"}}"#, 5e5, nil),
      (#"{"rope_theta": 5e5, "rope_parameters": {"rope_type": "default", "rope_theta": 8e5}}"#, 8e5, nil),
      (
        #"{"rope_parameters": {"rope_theta": 8e5}, "rope_scaling": {"rope_type": "linear", "factor": 2, "rope_theta": 7e5}}"#,
        7e5, 2
      ),
      (
        #"{"rope_parameters": {"rope_type": "linear", "factor": 3, "rope_theta": 8e5}, "rope_scaling": {"type": "linear", "factor": 2}}"#,
        10_000, 2
      ),
      (#"{"rope_parameters": {"rope_type": "linear", "factor": 3, "rope_theta": 8e5}, "rope_scaling": null}"#, 8e5, 3),
      (#"{"rope_theta": 5e5, "rope_parameters": {"rope_type": "linear", "factor": 3}, "rope_scaling": {}}"#, 5e5, 3),
      (#"{"rope_theta": 5e5, "rope_parameters": {}, "rope_scaling": {"rope_type": "linear", "factor": 2}}"#, 5e5, 2),
    ] as [(String, Double, Double?)])
  func theBaseOfPositionsIsTheReferences(_ json: String, _ base: Double, _ factor: Double?) throws {
    let found = try JSONDecoder().decode(RotaryEmbedding.Configuration.self, from: Data(json.utf8))
    #expect(found.base == base)
    switch found.scaling {
    case .none: #expect(factor == nil)
    case .linear(let scale): #expect(scale == factor)
    case .llama3: Issue.record("no such type is named")
    }
  }
}
