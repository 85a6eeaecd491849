/// The look of the page: nothing from elsewhere, for phones, paper, light and dark.
enum StyleSheet {
  /// Colours after Okabe and Ito 2008 ("Color Universal Design"), which people with any colour
  /// vision tell apart; darker on white and lighter on black than theirs, for contrast.
  private static let colours = """
    :root{color-scheme:light dark;--ink:#1b1f24;--soft:#5a6470;--paper:#fff;--panel:#f5f6f8;
    --rule:#d9dee4;--c0:#0067a8;--c1:#c44e00;--c2:#00805d;--c3:#a83e83;--c4:#8a6a00;--c5:#2b8fc9;
    --c6:#5b4bb5;--c7:#6b6b6b;--warn:#8a4b00;--warnback:#fff4e0}
    @media(prefers-color-scheme:dark){:root{--ink:#e4e7eb;--soft:#9aa5b1;--paper:#14171b;
    --panel:#1e2329;--rule:#363d46;--c0:#5cb8f5;--c1:#ff9350;--c2:#35cfa0;--c3:#ee9bcb;
    --c4:#e8c24a;--c5:#a5d8ff;--c6:#b3a6ff;--c7:#b9bec4;--warn:#ffc577;--warnback:#33260f}}
    """

  /// What the elements of charts look like.
  private static let drawings = """
    svg text{fill:var(--soft);paint-order:stroke;stroke:var(--paper);stroke-width:3px;
    stroke-linejoin:round}
    svg .title{fill:var(--ink);font-weight:600;font-size:12px}
    svg .name{fill:var(--ink)}
    .grid line,.grid path{fill:none}
    svg .grid{stroke:var(--rule);stroke-width:1}
    svg .divider{stroke:var(--soft);stroke-width:1;stroke-dasharray:1 3}
    svg .level{stroke:var(--soft);stroke-width:1;stroke-dasharray:4 3}
    svg .thin{fill:none;stroke:var(--c);stroke-width:.8;opacity:.4}
    svg .mean{fill:none;stroke:var(--c);stroke-width:2.2;stroke-linejoin:round}
    svg .bar{stroke:var(--c);stroke-width:2.4;opacity:.65;stroke-linecap:round}
    svg .faint{stroke:var(--c);stroke-width:1.2;opacity:.5}
    svg .tick{stroke:var(--c);stroke-width:1.4;opacity:.8}
    svg .dot{fill:var(--c);stroke:var(--paper);stroke-width:1}
    svg .small{fill:var(--c);opacity:.55}
    svg .dashed{stroke-dasharray:5 3}
    svg .dot.dashed,svg .bar.dashed,svg .small.dashed{stroke-dasharray:none}
    .s0{--c:var(--c0)}.s1{--c:var(--c1)}.s2{--c:var(--c2)}.s3{--c:var(--c3)}
    .s4{--c:var(--c4)}.s5{--c:var(--c5)}.s6{--c:var(--c6)}.s7{--c:var(--c7)}
    """

  /// For a chart that is a file by itself.
  static let document =
    colours + "\nsvg{font:11px system-ui,sans-serif;background:var(--paper)}\n" + drawings

  static let text = """
    \(colours)
    *{box-sizing:border-box}
    body{margin:0 auto;max-width:72rem;padding:1rem;color:var(--ink);background:var(--paper);
    font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
    h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0 1rem;overflow-wrap:anywhere}
    h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--rule)}
    h3{font-size:1rem;margin:1.2rem 0 .4rem}
    h4{font-size:.82rem;margin:0 0 .3rem;color:var(--soft);font-weight:600;overflow-wrap:anywhere}
    p,li{max-width:62rem;overflow-wrap:anywhere}
    ul{padding-left:1.2rem}
    nav{display:flex;flex-wrap:wrap;gap:.3rem 1rem;font-size:.88rem}
    a{color:var(--c0)}
    .lead{font-size:1.05rem}
    .note{color:var(--soft);font-size:.85rem}
    .panel{background:var(--panel);border-radius:8px;padding:.7rem 1rem}
    .warn{background:var(--warnback);color:var(--warn);border-radius:8px;padding:.4rem 1rem}
    .grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(310px,100%),1fr));
    gap:1rem 1.6rem;align-items:start}
    .grid>figure{margin:0}
    .scroll{overflow-x:auto;margin:.6rem 0}
    table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
    th,td{padding:.3rem .7rem;text-align:right;border-bottom:1px solid var(--rule);
    vertical-align:top;white-space:nowrap}
    thead th{color:var(--soft);font-weight:600;vertical-align:bottom;white-space:normal}
    td small,th small{display:block;color:var(--soft);font-weight:400}
    th:first-child{text-align:left;position:sticky;left:0;background:var(--paper);
    font-weight:600}
    .words td{text-align:left}
    .words thead th{text-align:left}
    code,pre{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.82rem}
    pre{background:var(--panel);border-radius:8px;padding:.7rem 1rem;white-space:pre-wrap;
    overflow-wrap:anywhere;margin:.5rem 0}
    td code{overflow-wrap:normal}
    details{margin:.5rem 0}
    summary{cursor:pointer;font-weight:600}
    svg{display:block;width:100%;max-width:34rem;height:auto;font-size:11px}
    \(drawings)
    .legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;
    font-size:.85rem;margin:.4rem 0 .8rem}
    .legend li{display:flex;align-items:center;gap:.4rem}
    .legend svg{width:26px;height:12px;flex:none}
    .answers>input{position:absolute;opacity:0;width:1px;height:1px}
    .answers>label{display:inline-block;border:1.5px solid var(--c);border-radius:999px;
    padding:.1rem .7rem;margin:.15rem .2rem .15rem 0;font-size:.85rem;cursor:pointer}
    .answers>input:checked+label{background:var(--c);color:var(--paper)}
    .answers>input:focus-visible+label{outline:2px solid var(--ink);outline-offset:2px}
    .pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(290px,100%),1fr));
    gap:.8rem;margin:.4rem 0 1.4rem}
    .prompt{font-weight:600;white-space:pre-wrap;margin:1rem 0 .2rem}
    .answer{background:var(--panel);border-radius:8px;padding:.6rem .9rem;
    border-left:4px solid var(--c,var(--rule))}
    .answer div{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.92rem}
    .after{display:none}
    @media(max-width:480px){body{padding:.7rem;font-size:15px}h1{font-size:1.35rem}
    th,td{padding:.3rem .5rem}
    th:first-child{white-space:normal;max-width:8.5rem;overflow-wrap:break-word}}
    @media print{
    :root{color-scheme:light;--ink:#000;--soft:#444;--paper:#fff;--panel:#fff;--rule:#bbb;
    --c0:#0067a8;--c1:#c44e00;--c2:#00805d;--c3:#a83e83;--c4:#8a6a00;--c5:#2b8fc9;--c6:#5b4bb5;
    --c7:#6b6b6b;--warn:#5c3200;--warnback:#fff}
    body{max-width:none;padding:0;font-size:10pt}
    nav,.screen,.answers>label,.answers>input{display:none}
    .scroll{overflow:visible}
    table{font-size:7pt;width:100%}
    th,td{white-space:normal;padding:.15rem .25rem}
    td small{white-space:nowrap}
    td code{overflow-wrap:anywhere}
    th:first-child{position:static}
    .grid{grid-template-columns:1fr 1fr}
    .answer{border:1px solid var(--rule);border-left:4px solid var(--c,var(--rule))}
    .after{display:block}
    figure,.answer,tr{break-inside:avoid}
    h2,h3,.prompt{break-after:avoid}}
    """

  /// Shows the answers of the arm that is chosen; one rule an arm, since CSS knows no variables
  /// in selectors.
  static func arms(_ count: Int) -> String {
    (0..<count).map { "#a\($0):checked~article .k\($0){display:block}" }.joined()
  }
}
