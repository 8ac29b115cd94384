import Cryptography
import HTTP

/// What a person sees on the way to a client. Everything on it is escaped, its one style and its one script, if it has
/// any, are named by a nonce, nothing is loaded, it cannot be framed, and its forms lead to us or to the client's address.
struct Page: Sendable {
    let title: String
    /// Under the title, in small print.
    var lead = ""
    /// What went wrong, told to screen readers at once.
    var alert: String?
    /// Trusted markup, made by the functions below.
    var content = ""
    /// Ours, and the same for everybody: what differs is in the markup.
    var script: String?
    /// Where a form may lead in the end: browsers hold redirects after a form against `form-action` too.
    var leadsTo: String?

    func response(_ status: Int = 200, headers: [(name: String, value: String)] = []) -> Response {
        let nonce = Base64URL.encode(Random.bytes(16))
        let notice = alert.map { #"<p class="alert" role="alert">\#(HTML.escaped($0))</p>"# } ?? ""
        let code = script.map { #"<script nonce="\#(nonce)">\#($0)</script>"# } ?? ""
        let html = """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>\(HTML.escaped(title)) – Polyclinic</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style nonce="\(nonce)">\(Self.style)</style></head>
            <body><main><p class="brand">Polyclinic</p><h1>\(HTML.escaped(title))</h1>
            \(lead.isEmpty ? "" : "<p class=\"lead\">\(HTML.escaped(lead))</p>")
            \(notice)\(content)</main>\(code)</body></html>
            """
        var response = Response.document("text/html; charset=utf-8", [UInt8](html.utf8))
        response.status = status
        let scripts = script == nil ? "" : "script-src 'nonce-\(nonce)'; "
        let target = leadsTo.map { " " + $0 } ?? ""
        response.headers += [
            (
                "Content-Security-Policy",
                "default-src 'none'; style-src 'nonce-\(nonce)'; \(scripts)form-action 'self'\(target); frame-ancestors 'none'; base-uri 'none'"
            ),
            ("Cache-Control", "no-store"), ("Referrer-Policy", "same-origin"), ("X-Frame-Options", "DENY"),
        ]
        response.headers += headers
        return response
    }

    private static let style = """
        :root{color-scheme:light dark;--ink:#16232b;--soft:#55666f;--paper:#fff;--ground:#eef2f3;--line:#c3ced3;--accent:#0b6470;--on:#fff;--bad:#a11b1b;--badground:#fdecec}
        @media(prefers-color-scheme:dark){:root{--ink:#e8eef0;--soft:#a3b3ba;--paper:#1b262c;--ground:#12191d;--line:#43535b;--accent:#5fc3cf;--on:#06232a;--bad:#ffb4b4;--badground:#3a1d1f}}
        *{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,"Noto Sans",sans-serif}
        main{width:100%;max-width:26rem;background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:2rem 1.75rem;overflow-wrap:anywhere}
        .brand{margin:0 0 1.25rem;font-weight:600;letter-spacing:.02em;color:var(--accent)}h1{margin:0;font-size:1.5rem;line-height:1.25}
        .lead{margin:.4rem 0 0;color:var(--soft)}form{margin-top:1.5rem}label{display:block;margin:1rem 0 .3rem;font-weight:600}
        input{width:100%;padding:.7rem .8rem;font:inherit;color:inherit;background:transparent;border:1px solid var(--line);border-radius:8px}
        button{width:100%;margin-top:1.5rem;padding:.75rem 1rem;font:inherit;font-weight:600;border-radius:8px;border:1px solid var(--accent);background:var(--accent);color:var(--on);cursor:pointer}
        #passkey{margin-top:0}button.plain{margin-top:.75rem;background:transparent;color:var(--accent)}:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
        .alert{margin:1.25rem 0 0;padding:.7rem .8rem;border-radius:8px;color:var(--bad);background:var(--badground)}
        ul{margin:1rem 0 0;padding:0;list-style:none;border-top:1px solid var(--line)}li{padding:.6rem 0;border-bottom:1px solid var(--line)}.note{margin:1.25rem 0 0;font-size:.875rem;color:var(--soft)}
        code{font:600 1.1rem/1.6 ui-monospace,monospace}a{color:var(--accent)}
        @media(max-width:24rem){body{padding:0;place-items:stretch}main{border:0;border-radius:0;padding:1.5rem 1rem}}
        """
}

/// Pieces of a page. What is interpolated is escaped here, once.
enum HTML {
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `attributes` are ours.
    static func form(
        to path: String, _ hidden: [(name: String, value: String)], _ content: String, attributes: String = ""
    ) -> String {
        let fields = hidden.map {
            #"<input type="hidden" name="\#($0.name)" value="\#(escaped($0.value))">"#
        }.joined()
        let more = attributes.isEmpty ? "" : " " + attributes
        return #"<form method="post" action="\#(path)"\#(more)>\#(fields)\#(content)</form>"#
    }

    /// A labelled field; `attributes` are ours.
    static func field(_ name: String, _ label: String, type: String, _ attributes: String) -> String {
        #"<label for="\#(name)">\#(escaped(label))</label><input id="\#(name)" name="\#(name)" type="\#(type)" required \#(attributes)>"#
    }

    static func button(_ text: String, value: String? = nil, plain: Bool = false) -> String {
        let style = plain ? #" class="plain""# : ""
        let choice = value.map { #" name="decision" value="\#($0)""# } ?? ""
        return "<button type=\"submit\"\(style)\(choice)>\(escaped(text))</button>"
    }

    static func list(_ items: [String]) -> String {
        "<ul>" + items.map { "<li>\(escaped($0))</li>" }.joined() + "</ul>"
    }

    /// To be read and typed elsewhere.
    static func code(_ text: String) -> String { "<p><code>\(escaped(text))</code></p>" }

    static func link(_ address: String, _ text: String) -> String {
        "<p><a href=\"\(escaped(address))\">\(escaped(text))</a></p>"
    }

    static func note(_ text: String) -> String { "<p class=\"note\">\(escaped(text))</p>" }
}
