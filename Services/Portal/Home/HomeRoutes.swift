import Access
import HTTP
import Loop

/// The front door: where everything is.
@LoopActor struct HomeRoutes {
    var table: [Route] {
        [
            .anyone("GET", "/", .init("Open the front page"), home),
            .anyone("GET", "/style.css", .init("Load the style of the pages"), style),
        ]
    }

    private func home(_ request: Request) async throws -> Response {
        .page(
            "Polyclinic", head: "",
            """
            <h1>Polyclinic</h1>
            <p>The software of a hospital, a clinic or a telemedicine practice.</p>
            <ul>
              <li><a href="/docs">API documentation</a>, and <a href="/docs/events">the events</a></li>
              <li><a href="/health">How the services are</a></li>
            </ul>
            """)
    }

    private func style(_ request: Request) async throws -> Response {
        .document("text/css; charset=utf-8", Array(Self.css.utf8))
    }

    private static let css = """
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
        body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
        table { border-collapse: collapse; width: 100%; }
        th, td { text-align: start; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid #8884; }
        code { font-size: .9em; }
        """
}

extension Response {
    /// A page with our style and a policy that lets nothing in from outside and nothing inline: Swagger UI
    /// styles itself through the document's object model, which no policy forbids.
    static func page(_ title: String, head: String, _ body: String) -> Response {
        let html = """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>\(escaped(title))</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <link rel="stylesheet" href="/style.css">\(head)</head><body>\(body)</body></html>
            """
        var response = Response.document("text/html; charset=utf-8", Array(html.utf8))
        response.headers += [
            ("Content-Security-Policy", "default-src 'self'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'"),
            ("Referrer-Policy", "no-referrer"),
        ]
        return response
    }
}
