public import Evaluation

/// The report of one run, or of many side by side.
public enum ReportPage {
  /// One self-contained HTML file: no script, no font or other thing fetched, light and dark.
  ///
  /// Runs are grouped by method; where a group has several learning rates it is quoted at the one that validation
  /// accuracy chooses. Numbers are means over seeds with the sample standard deviation.
  /// - Precondition: at least one run.
  public static func html(runs: [RunRecord], title: String) -> String {
    precondition(!runs.isEmpty, "ReportPage.html(runs:title:) needs a run")
    let groups = RunGroup.groups(of: runs)
    let body = fragment {
      Header(title: title, groups: groups).html
      Headline(groups: groups).html
      HeatMaps(groups: groups).html
      LossTable(groups: groups).html
      TaskCurves(groups: groups).html
      AbilitySection(groups: groups).html
      FrontierPlot(groups: groups).html
      TrainingCurves(groups: groups).html
      MetricTable(groups: groups).html
      CostTable(groups: groups).html
      Provenance(groups: groups).html
      element("footer") {
        "Written by Jay. Values after ± are sample standard deviations over seeds; a single run has none."
      }
    }
    let page = element("html", ["lang": "en"]) {
      element("head") {
        HTML(trusted: "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">")
        element("title") { title }
        element("style") { HTML(trusted: Style.css) }
      }
      element("body") { element("main") { body } }
    }
    return "<!doctype html>\n\(page.text)\n"
  }
}

/// Colour key of the groups, shared by the figures of a section; nothing for one group.
func legend(_ groups: [RunGroup]) -> HTML? {
  guard groups.count > 1 else { return nil }
  return element("ul", ["class": "legend"]) {
    groups.enumerated().map { index, group in
      element("li") {
        swatch(index)
        element("span") { group.id }
      }
    }
  }
}

/// A short stroke in the colour and dash of a group.
func swatch(_ index: Int) -> HTML {
  element("svg", ["class": "swatch \(Palette.style(index))", "viewBox": "0 0 18 10", "aria-hidden": "true"]) {
    element("line", ["x1": "0", "x2": "18", "y1": "5", "y2": "5"])
  }
}
