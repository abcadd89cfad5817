/// How a report looks: on screens light and dark, on paper, on a telephone.
///
/// The colours of series are Okabe and Ito's, which people with any colour vision tell apart, darkened or lightened
/// until they stand out from the ground; series differ in dashes too.
enum StyleSheet {
  static let rules = colours + page + tables + charts + texts + paper

  private static let colours = """
    :root{color-scheme:light dark;--bg:#fbfbfa;--surface:#fff;--text:#1c2127;--muted:#58616c;--line:#dde1e5;
    --accent:#0b5c94;--accent-soft:#e3eef6;--warm:#a8480a;--warm-soft:#faeadf;--heat-scale:.55;
    --s1:#0b6aab;--s2:#b9500d;--s3:#00785a;--s4:#9c3f82;--s5:#8a6300;--s6:#5b6470}
    @media(prefers-color-scheme:dark){:root{--bg:#14171a;--surface:#1b1f23;--text:#e6e9ec;--muted:#a2abb5;
    --line:#343b42;--accent:#74bdf0;--accent-soft:#1d3345;--warm:#f5a66a;--warm-soft:#40291a;--heat-scale:.42;
    --s1:#62b4ee;--s2:#f0935a;--s3:#3cc4a0;--s4:#e392cb;--s5:#dcb84a;--s6:#a9b3bd}}

    """

  private static let page = """
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
    body{margin:0;background:var(--bg);color:var(--text);
    font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-variant-numeric:tabular-nums}
    main,header,footer{max-width:68rem;margin:0 auto;padding:0 clamp(1rem,4vw,3rem)}
    header{padding-top:clamp(2rem,6vw,4.5rem)}
    footer{padding-top:3rem;padding-bottom:3rem;color:var(--muted);font-size:.875rem}
    h1{font-size:clamp(1.75rem,1.2rem + 2.4vw,2.75rem);line-height:1.15;letter-spacing:-.022em;font-weight:650;
    margin:0 0 .5rem;text-wrap:balance;overflow-wrap:anywhere}
    h2{font-size:1.5rem;line-height:1.25;letter-spacing:-.012em;font-weight:620;margin:0 0 1.25rem;text-wrap:balance;
    overflow-wrap:anywhere}
    h3{font-size:1.0625rem;line-height:1.35;font-weight:620;margin:2.5rem 0 .75rem}
    p{margin:0 0 1rem;max-width:44rem}
    section{margin-top:clamp(2.75rem,6vw,4.5rem)}
    section section{margin-top:2.75rem}
    .lead{color:var(--muted);font-size:1.0625rem;overflow-wrap:anywhere}
    .hint{color:var(--muted);font-size:.9375rem}
    nav{margin-top:1.75rem;border-top:1px solid var(--line);border-bottom:1px solid var(--line)}
    nav ul{display:flex;flex-wrap:wrap;gap:.125rem 1.5rem;list-style:none;margin:0;padding:.625rem 0;font-size:.9375rem}
    a{color:var(--accent);text-underline-offset:.2em;text-decoration-thickness:1px}
    nav a{display:inline-block;padding:.25rem 0;text-decoration:none}
    nav a:hover{text-decoration:underline}
    :focus-visible{outline:2px solid var(--accent);outline-offset:3px;border-radius:2px}
    .skip{position:absolute;left:-100vw}
    .skip:focus{left:1rem;top:.5rem;background:var(--surface);padding:.5rem 1rem;z-index:1}
    .facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,9.5rem),1fr));gap:1.75rem 2rem;margin:0}
    .facts dt{color:var(--muted);font-size:.875rem;margin-bottom:.125rem}
    .facts dd{margin:0;font-size:1.625rem;line-height:1.2;letter-spacing:-.015em;font-weight:600;
    overflow-wrap:anywhere}
    .facts dd small{display:block;font-size:.875rem;line-height:1.45;letter-spacing:0;font-weight:400;
    color:var(--muted);margin-top:.25rem}

    """

  private static let tables = """
    .scroll{overflow-x:auto;margin:0 0 1.25rem;max-width:100%}
    table{border-collapse:collapse;font-size:.9375rem;line-height:1.45}
    .caption{color:var(--muted);font-size:.875rem;margin:0 0 .625rem}
    caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
    th,td{padding:.5rem 1.25rem .5rem 0;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--line)}
    thead th{font-weight:600;font-size:.8125rem;color:var(--muted);vertical-align:bottom;
    border-bottom:1px solid var(--muted)}
    tbody th{font-weight:500}
    .number{text-align:right;white-space:nowrap}
    .best{font-weight:650;color:var(--accent)}
    .wrapping td{overflow-wrap:anywhere}
    @media(max-width:34rem){th,td{padding-right:.75rem}table{font-size:.875rem}.wrapping th{min-width:6rem}}
    .heat-table th,.heat-table td{padding:.4rem .625rem;border:0}
    .heat-table thead th{text-align:center;max-width:9rem;overflow-wrap:anywhere;border:0;min-width:3.25rem}
    .heat-table .corner{text-align:left;font-weight:400;min-width:7rem}
    .heat-table tbody th{max-width:14rem;overflow-wrap:anywhere;padding-left:0}
    .heat{text-align:center;min-width:3.25rem;border:2px solid var(--bg)!important;
    background:color-mix(in srgb,var(--accent) calc(var(--heat)*var(--heat-scale)),var(--bg));
    print-color-adjust:exact;-webkit-print-color-adjust:exact}
    .heat.same{font-weight:700;text-decoration:underline;text-underline-offset:.2em}

    """

  private static let charts = """
    .charts{margin-top:2rem;display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:2.5rem 3rem}
    figure{margin:0;min-width:0;max-width:34rem}
    figcaption{font-weight:600;margin-bottom:.625rem}
    .chart>svg{display:block;width:100%;height:auto;overflow:visible}
    svg text{font-size:12px;fill:var(--text);font-family:inherit}
    svg .tick,svg .axis-name,svg .note{fill:var(--muted)}
    svg .note{paint-order:stroke;stroke:var(--bg);stroke-width:4px;stroke-linejoin:round}
    svg .bar-name{font-size:13px}
    svg .bar-value{font-size:13px;font-weight:600}
    .grid{stroke:var(--line);stroke-width:1}
    .axis{stroke:var(--muted);stroke-width:1}
    .leader{stroke:var(--muted);stroke-width:.75}
    .reference{stroke:var(--muted);stroke-width:1.25;stroke-dasharray:2 4}
    .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
    .line.faint{stroke:var(--s1);stroke-width:1;opacity:.35}
    .line.s1{stroke:var(--s1)}.line.s2{stroke:var(--s2);stroke-dasharray:7 4}
    .line.s3{stroke:var(--s3);stroke-dasharray:2 4}.line.s4{stroke:var(--s4);stroke-dasharray:9 3 2 3}
    .line.s5{stroke:var(--s5);stroke-dasharray:14 4}.line.s6{stroke:var(--s6);stroke-dasharray:4 3}
    .dot{stroke:var(--bg);stroke-width:1.25}
    .dot.many{fill-opacity:.55;stroke:none}
    .dot.s1,.bar.s1{fill:var(--s1)}.dot.s2{fill:var(--s2)}.dot.s3{fill:var(--s3)}.dot.s4{fill:var(--s4)}
    .dot.s5{fill:var(--s5)}.dot.s6{fill:var(--s6)}
    .mark{fill:none;stroke:var(--text);stroke-width:1.75}
    .track{fill:var(--line);opacity:.6}
    .whisker{fill:none;stroke:var(--text);stroke-width:1.5}
    .legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:.625rem 0 0;padding:0;
    font-size:.875rem;color:var(--muted)}
    .legend li{display:flex;align-items:center;gap:.5rem;overflow-wrap:anywhere}
    .legend svg{width:26px;height:10px;flex:none}

    """

  private static let texts = """
    .cases{list-style:none;margin:0;padding:0}
    .cases>li{border-top:1px solid var(--line);padding:1rem 0;max-width:52rem}
    .cases p{margin:0 0 .375rem;max-width:none;overflow-wrap:anywhere;white-space:pre-wrap}
    .cases .verdict{font-size:.875rem;color:var(--muted);margin:0}
    .verdict strong{color:var(--text);font-weight:600}
    .tagged{line-height:2.1}
    mark{background:var(--accent-soft);color:inherit;padding:.125rem .25rem;border-radius:.25rem;
    border-bottom:2px solid var(--accent);print-color-adjust:exact;-webkit-print-color-adjust:exact}
    mark.wrong{background:var(--warm-soft);border-bottom:2px dashed var(--warm)}
    mark.both{border-bottom-style:double;border-bottom-width:4px}
    mark sub{font-size:.6875rem;font-weight:600;letter-spacing:.02em;margin-left:.3rem;color:var(--muted);
    vertical-align:baseline}
    .row-name{display:inline-block;min-width:6rem;color:var(--muted);font-size:.875rem}
    pre{font:.8125rem/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
    background:var(--surface);border:1px solid var(--line);border-radius:.375rem;padding:1rem;margin:0 0 1.25rem;
    white-space:pre-wrap;overflow-wrap:anywhere}
    code{font:.875em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}

    """

  private static let paper = """
    @media(prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
    @media print{:root{color-scheme:light;--bg:#fff;--surface:#fff;--text:#000;--muted:#444;--line:#ccc;
    --accent:#0b5c94;--accent-soft:#e3eef6;--warm:#a8480a;--warm-soft:#faeadf;--heat-scale:.55;--s1:#0b6aab;--s2:#b9500d;
    --s3:#00785a;--s4:#9c3f82;--s5:#8a6300;--s6:#5b6470}
    body{font-size:10pt}main,header,footer{max-width:none;padding-left:0;padding-right:0}nav,.skip{display:none}
    .scroll{overflow:visible}figure,tr,.cases>li,.facts>div{break-inside:avoid}h2,h3,figcaption{break-after:avoid}
    section{margin-top:2.5rem}.charts{grid-template-columns:1fr 1fr}a{color:inherit;text-decoration:none}
    @page{margin:18mm 16mm}}
    """
}
