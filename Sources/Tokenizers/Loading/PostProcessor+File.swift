extension PostProcessor {
  private static let types = ["BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence", "TemplateProcessing"]

  init(_ field: JSONField) throws {
    let type = try field.member("type")
    switch try type.string() {
    case "BertProcessing":
      template = .bert(cls: try field.member("cls").namedID(), sep: try field.member("sep").namedID())
    case "RobertaProcessing":
      template = .roberta(cls: try field.member("cls").namedID(), sep: try field.member("sep").namedID())
      trimming = try Trimming(field)
    case "TemplateProcessing": template = try Template(field)
    case "ByteLevel": trimming = try Trimming(field)
    case "Sequence": try join(field.member("processors"))
    default: throw type.unsupported(PostProcessor.types)
    }
  }

  /// One processor after the other; only one of them may set special tokens.
  private mutating func join(_ field: JSONField) throws {
    for element in try field.elements() {
      let step = try PostProcessor(element)
      if step.template != .bare {
        guard template == .bare else { throw field.inconsistent("more than one of them adds special tokens") }
        template = step.template
      }
      trimming = trimming ?? step.trimming
    }
  }
}

extension PostProcessor.Trimming {
  fileprivate init?(_ field: JSONField) throws {
    guard try field.member("trim_offsets").bool() else { return nil }
    addsPrefixSpace = try field.member("add_prefix_space").bool()
  }
}

extension Template {
  fileprivate init(_ field: JSONField) throws {
    let single = try field.member("single")
    self.init(
      single: try single.elements().map { try Piece($0, of: field) },
      pair: try field.member("pair").elements().map { try Piece($0, of: field) })
    if self.single.contains(where: { if case .second = $0 { true } else { false } }) {
      throw single.inconsistent("the template for one text uses a second one, B")
    }
  }
}

extension Template.Piece {
  fileprivate init(_ field: JSONField, of processor: JSONField) throws {
    if let sequence = try field.optional("Sequence") {
      let id = try sequence.member("id")
      let segment = try sequence.member("type_id").id()
      switch try id.string() {
      case "A": self = .first(segment: segment)
      case "B": self = .second(segment: segment)
      default: throw id.unexpected("\"A\" or \"B\"")
      }
      return
    }
    let special = try field.member("SpecialToken")
    let name = try special.member("id")
    guard let token = try processor.member("special_tokens").optional(try name.string()) else {
      throw name.inconsistent("post_processor.special_tokens has no \(name.value.description)")
    }
    self = .special(
      ids: try token.member("ids").elements().map { try $0.id() }, segment: try special.member("type_id").id())
  }
}

extension JSONField {
  /// The id of a `["[SEP]", 102]`.
  func namedID() throws -> Int32 {
    let elements = try elements()
    guard elements.count == 2 else { throw unexpected("a list of a token and its id") }
    return try elements[1].id()
  }
}
