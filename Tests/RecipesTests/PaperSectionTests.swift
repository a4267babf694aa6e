import Testing

@testable import Recipes

@Suite struct PaperSectionTests {
  private static let run = "model: minilm\nstream: {name: cl15, order: 1}\nmethods: [migu]\n"
  private static let paper = """
    paper:
      source: "MIGU, table 1"
      row: MIGU + FT
      reported: {order 1: 78.3, order 2: 79.8, orders 1-2: 79, macro-F1: 76.36}
      note: a small model

    """

  @Test func aRecipeSaysWhichRowItStandsFor() throws {
    let paper = try Recipe(yaml: Self.run + Self.paper, name: "migu.yaml").paper
    #expect(paper.title == "MIGU, table 1: MIGU + FT")
    #expect(paper.reported["order 1"] == 78.3)
    #expect(paper.figures == "macro-F1 76.36, orders 1-2 79 (78.3 79.8)")
    #expect(paper.note == "a small model")
  }

  @Test func itIsWrittenAndReadsTheSame() throws {
    let recipe = try Recipe(yaml: Self.run + Self.paper, name: "migu.yaml")
    let again = try Recipe(yaml: recipe.yaml(comments: true), name: "again")
    #expect(again.paper == recipe.paper)
    #expect(again.yaml() == recipe.yaml())
  }

  @Test func aRunDoesNotDependOnIt() throws {
    let bare = try Recipe(yaml: Self.run, name: "bare.yaml"), named = try Recipe(yaml: Self.run + Self.paper, name: "b")
    #expect(bare.paper.isEmpty && bare.paper.title.isEmpty)
    #expect(!bare.yaml().contains("paper:"))
    #expect(named.yaml().contains("paper:"))
    #expect(named.resumable.yaml() == bare.resumable.yaml())
    #expect(named.structure.yaml() == bare.structure.yaml())
  }

  @Test func mistakesInItAreNamed() {
    #expect {
      try Recipe(yaml: Self.run + "paper: {source: MIGU, reported: {order 1: high}, rows: 1}\n", name: "migu.yaml")
    } throws: { error in
      "\(error)" == """
        migu.yaml:4:8: missing key 'row' in paper: the row as the paper names it. Add 'row: …'.
        migu.yaml:4:43: paper.reported.order 1 must be a number, but found 'high'.
        migu.yaml:4:50: unknown key 'rows' in paper. Did you mean 'row'? Keys: source, row, reported, note.
        """
    }
  }
}
