import Evaluation
import Foundation
import Testing

@Suite struct AccuracyMatrixTests {
  @Test func rowsGrowAsExperiencesAreTrained() {
    var a = AccuracyMatrix(experiences: ["farm", "sea"])
    #expect(a.count == 0 && !a.isComplete)
    a.append(row: [80, nil])
    a.append(row: [70, 85])
    #expect(a.isComplete)
    #expect(a[after: 0, on: 1] == nil)
    #expect(a[after: 1, on: 0] == 70)
  }

  @Test func aNewExperienceAddsAColumnThatEarlierRowsHaveNotSeen() {
    var a = matrix([[80, 10], [70, 85]], before: [5, 6])
    a.append(experience: "sky")
    #expect(a.experiences == ["0", "1", "sky"])
    #expect(a.rows == [[80, 10, nil], [70, 85, nil]])
    #expect(a.before == [5, 6, nil])
    #expect(!a.isComplete)
    a.append(row: [60, 80, 90])
    #expect(a[after: 2, on: 2] == 90)
  }

  @Test func aNewExperienceMayBringItsScoreBeforeTraining() {
    var a = matrix([[80]])
    a.append(experience: "sea", before: 12)
    #expect(a.before == [nil, 12])
  }

  @Test func itSurvivesJSONWithMissingCells() throws {
    let a = matrix([[80], [70, 85]], before: [nil, 7])
    #expect(try JSONDecoder().decode(AccuracyMatrix.self, from: JSONEncoder().encode(a)) == a)
  }

  @Test func aRaggedMatrixIsRefusedWithTheRowNamed() throws {
    let json = Data(#"{"quantity":"accuracy","experiences":["a","b"],"rows":[[1,2],[3]]}"#.utf8)
    let error = #expect(throws: DecodingError.self) { try JSONDecoder().decode(AccuracyMatrix.self, from: json) }
    guard case .dataCorrupted(let context) = error else { return #expect(Bool(false), "\(String(describing: error))") }
    #expect(context.debugDescription == "accuracy matrix: row 1 has 1 values for 2 experiences")
  }

  @Test func theMeanOfACellIsOverTheRunsThatMeasuredIt() {
    let mean = AccuracyMatrix.mean(of: [matrix([[80, nil], [70, 90]]), matrix([[90, 20]])])
    #expect(mean.rows == [[85, 20], [70, 90]])
  }
}
