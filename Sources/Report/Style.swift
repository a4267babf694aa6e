/// The page's style sheet: system fonts, no URL, light and dark by the reader's own preference.
enum Style {
  static let css =
    rules + series + colors(dark: false) + "@media (prefers-color-scheme:dark){\(colors(dark: true))}" + print

  private static func colors(dark: Bool) -> String {
    let names = ["page", "card", "ink", "ink2", "line", "grid", "accent", "accent-ink", "good", "bad"]
    let values =
      dark
      ? ["#12151a", "#1a1f26", "#e9edf2", "#9aa5b1", "#2c343e", "#262d36", "#1d3a2f", "#7fe0b5", "#5fd3a2", "#ff9d7a"]
      : ["#f6f7f9", "#ffffff", "#161b22", "#5d6873", "#dfe3e8", "#eaedf1", "#dff3ea", "#05694a", "#047a55", "#b3410d"]
    let variables = zip(names, values).map { "--\($0):\($1)" }
    let series = Palette.series.enumerated().map { "--c\($0.offset):\(dark ? $0.element.dark : $0.element.light)" }
    return ":root{\((variables + series).joined(separator: ";"))}" + Palette.heatCSS(dark: dark)
  }

  private static let series = Palette.series.indices.map { ".s\($0){--c:var(--c\($0))}" }.joined()

  private static let rules =
    """
    *{box-sizing:border-box}
    html{color-scheme:light dark;-webkit-text-size-adjust:100%}
    body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,\
    "Helvetica Neue",Arial,sans-serif}
    main{max-width:1200px;margin:0 auto;padding:40px 24px 64px}
    h1{font-size:30px;line-height:1.2;letter-spacing:-.02em;margin:4px 0 10px;text-wrap:balance}
    h2{font-size:19px;letter-spacing:-.01em;margin:0 0 4px}
    h3{font-size:14px;margin:0 0 6px;font-weight:600;overflow-wrap:anywhere}
    section{margin-top:44px}
    p{margin:0 0 10px}
    a{color:inherit;text-decoration-color:var(--ink2);text-underline-offset:2px}
    .eyebrow{color:var(--ink2);font-size:13px;font-weight:600;letter-spacing:.06em;text-transform:uppercase;margin:0}
    .verdict{font-size:17px;max-width:78ch;margin:0 0 18px}
    .note{color:var(--ink2);font-size:13.5px;max-width:92ch;margin-bottom:14px}
    .facts{display:flex;flex-wrap:wrap;gap:4px 22px;margin:0;font-size:14px}
    .facts div{display:flex;gap:7px;min-width:0}.facts dt{color:var(--ink2)}.facts dd{margin:0;overflow-wrap:anywhere}
    .grid{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,var(--min,260px)),1fr))}
    .card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px 18px;min-width:0;margin:0}
    .scroll{overflow-x:auto}
    .metric-head{display:flex;flex-direction:column;margin-bottom:6px}
    .metric-head b{font-size:14px}.metric-head span{color:var(--ink2);font-size:12px;white-space:nowrap}
    .score{display:grid;grid-template-columns:1fr auto;gap:0 10px;align-items:baseline;padding:4px 0}
    .score .who{display:flex;gap:7px;align-items:baseline;min-width:0;font-size:13.5px;overflow-wrap:anywhere}
    .score .value{font-variant-numeric:tabular-nums;white-space:nowrap;font-size:15px}
    .score .value small{color:var(--ink2);font-size:.72em}
    .few .score{grid-template-columns:1fr;padding:7px 0}.few .score .value{font-size:28px;letter-spacing:-.02em;\
    line-height:1.25}
    .score .bar{grid-column:1/-1;height:3px;border-radius:2px;background:var(--grid);overflow:hidden;margin-top:3px}
    .score .bar i{display:block;height:100%;background:var(--c)}
    .best .value{font-weight:650}
    .pill{background:var(--accent);color:var(--accent-ink);border-radius:99px;font-size:11px;font-weight:600;\
    padding:1px 7px;white-space:nowrap;flex:none}
    .swatch{flex:none;width:18px;height:10px;align-self:center}.swatch line{stroke:var(--c);stroke-width:3}
    .legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;margin:0 0 12px;padding:0;list-style:none}
    .legend li{display:flex;gap:7px;align-items:center}
    .ramp{display:flex;align-items:center;gap:8px;font-size:12.5px;color:var(--ink2);flex-wrap:wrap;margin-bottom:12px;\
    font-variant-numeric:tabular-nums}
    .ramp .steps{display:flex;border-radius:3px;overflow:hidden}.ramp i{width:10px;height:12px}
    svg{display:block;width:100%;height:auto}.scroll>svg.wide{min-width:620px}
    svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--ink2);\
    font-variant-numeric:tabular-nums}
    svg text.axis-title{font-size:12px}svg text.name{fill:var(--ink)}svg text.halo{fill:var(--ink);paint-order:stroke;\
    stroke:var(--card);stroke-width:4px;stroke-linejoin:round}svg text.strong{fill:var(--ink);font-weight:600}
    svg text.up{fill:var(--good)}svg text.down{fill:var(--bad)}svg text.pale{fill:var(--ink2)}
    line.tick{stroke:var(--grid)}line.axis{stroke:var(--line)}
    line.boundary{stroke:var(--ink2);stroke-dasharray:2 3;opacity:.55}line.error{stroke:var(--c);opacity:.55}
    .line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
    .line.raw{stroke-width:1;opacity:.28}.line.early{stroke-width:1.3;opacity:.5}
    .line.thin{stroke-width:1.4}.band{fill:var(--c);opacity:.16;stroke:none}
    circle.dot{fill:var(--c)}circle.open{fill:var(--card);stroke:var(--c);stroke-width:1.6}
    circle.hit{fill:transparent}circle.ring{fill:none;stroke:var(--ink);stroke-width:1.5}
    svg.heat{margin:0 auto}rect.ahead{opacity:.3}rect.empty{fill:var(--grid);opacity:.6}
    .d1.line{stroke-dasharray:7 4}.d2.line{stroke-dasharray:2 4}.d3.line{stroke-dasharray:9 3 2 3}
    .d1 line{stroke-dasharray:5 3}.d2 line{stroke-dasharray:2 2}.d3 line{stroke-dasharray:6 2 1 2}
    table{border-collapse:separate;border-spacing:0;width:100%;font-size:13px}
    th,td{padding:7px;border-bottom:1px solid var(--line);text-align:right;font-variant-numeric:tabular-nums;\
    white-space:nowrap}
    th{font-weight:600;color:var(--ink2);font-size:12.5px;vertical-align:bottom}
    tr:last-child td,tr:last-child th{border-bottom:0}
    th:first-child,td:first-child,.left{text-align:left}
    .scroll>table th:first-child,.scroll>table td:first-child{position:sticky;left:0;background:var(--card)}
    td.who{min-width:130px}td.who span{display:flex;gap:7px}
    td.best{font-weight:650;position:relative}
    td.best::after{content:"●";color:var(--good);font-size:7px;position:absolute;right:-3px;top:12px}
    td small{color:var(--ink2);font-size:.86em;font-weight:400}
    td.wrap{white-space:normal;overflow-wrap:anywhere}
    .definitions{display:grid;gap:10px 28px;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));\
    margin:18px 0 0;font-size:13px}
    .definitions div{min-width:0}.definitions dt{font-weight:600}.definitions dd{margin:0;color:var(--ink2)}
    .definitions code{color:var(--ink)}
    code,pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
    pre{margin:8px 0;padding:12px 14px;background:var(--page);border:1px solid var(--line);border-radius:8px;\
    overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
    details{border-bottom:1px solid var(--line);padding:9px 0}details:last-child{border-bottom:0}
    summary{cursor:pointer;font-weight:600;font-size:14px}
    footer{margin-top:48px;color:var(--ink2);font-size:12.5px}
    .warning{border-left:3px solid var(--bad);padding-left:12px}
    @media (max-width:640px){main{padding:24px 14px 40px}h1{font-size:24px}.verdict{font-size:16px}\
    svg.wide text,svg.wide text.axis-title{font-size:15px}.card{padding:13px 13px}section{margin-top:34px}}

    """

  private static let print =
    """
    @media print{body{background:#fff;font-size:12px}main{max-width:none;padding:0}.card{break-inside:avoid}\
    section{break-inside:auto;margin-top:24px}h2,h3,.note,.legend,.ramp{break-after:avoid}.scroll{overflow:visible}\
    *{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
    """
}
