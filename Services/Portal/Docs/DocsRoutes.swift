import Access
import Contracts
import HTTP
import Loop
import Messaging

/// The contract for people who write clients: OpenAPI with Swagger UI, and the events as AsyncAPI.
@LoopActor struct DocsRoutes {
    let documents: Folder
    let assets: Folder

    var table: [Route] {
        [
            .anyone("GET", "/v1/openapi.json", .init("Read the OpenAPI 3.1 document of the suite"), openAPI),
            .anyone("GET", "/docs", .init("Read the API documentation"), page),
            .anyone("GET", "/docs/events", .init("Read which events there are"), events),
            .anyone("GET", "/docs/asyncapi.json", .init("Read the AsyncAPI 3 document of the events"), asyncAPI),
            .anyone("GET", "/docs/assets/:file", .init("Load a file of the documentation page"), asset),
        ]
    }

    private func openAPI(_ request: Request) async throws -> Response { try document("openapi.json") }
    private func asyncAPI(_ request: Request) async throws -> Response {
        .document("application/json; charset=utf-8", Catalogue.document)
    }

    private func document(_ name: String) throws -> Response {
        guard let bytes = documents[name] else { throw Problem.notFound("document") }
        return .document("application/json; charset=utf-8", bytes)
    }

    private func asset(_ request: Request) async throws -> Response {
        let name = request.parameters.first { $0.name == "file" }?.value ?? ""
        if name == "start.js" { return .document("text/javascript; charset=utf-8", Array(Self.start.utf8)) }
        guard let bytes = assets[name] else { throw Problem.notFound("file") }
        let type = name.hasSuffix(".css") ? "text/css" : name.hasSuffix(".js") ? "text/javascript" : "image/png"
        var response = Response.document(type + "; charset=utf-8", bytes)
        response.headers.append(("Cache-Control", "public, max-age=86400"))
        return response
    }

    private func page(_ request: Request) async throws -> Response {
        let body = !assets.has("swagger-ui-bundle.js")
            ? "<p>Swagger UI is not installed here. The document itself is at <a href=\"/v1/openapi.json\">/v1/openapi.json</a>.</p>"
            : "<div id=\"swagger\"></div><script src=\"/docs/assets/swagger-ui-bundle.js\"></script><script src=\"/docs/assets/start.js\"></script>"
        return .page("Polyclinic API", head: "<link rel=\"stylesheet\" href=\"/docs/assets/swagger-ui.css\">", body)
    }

    private static let start = """
        SwaggerUIBundle({url: "/v1/openapi.json", dom_id: "#swagger", deepLinking: true, docExpansion: "none", persistAuthorization: false});
        """

    /// The events as a table: every name and what it says has happened.
    private func events(_ request: Request) async throws -> Response {
        let rows = Catalogue.events.map {
            "<tr><td><code>\(escaped($0.name.text))</code></td><td>\(escaped($0.sentence))</td></tr>"
        }
        return .page(
            "Polyclinic events", head: "",
            """
            <h1>Events</h1>
            <p>CloudEvents 1.0, structured JSON, on the topic exchange <code>polyclinic</code>; the routing key is the name.
            Declare a queue <code>worker.…</code>, bind it, acknowledge what you have handled: an event may come more than
            once, and its <code>id</code> says so. The whole document: <a href="/docs/asyncapi.json">asyncapi.json</a>
            (AsyncAPI 3).</p>
            <table><thead><tr><th>Name</th><th>What happened</th></tr></thead><tbody>\(rows.joined())</tbody></table>
            """)
    }
}

/// Text as HTML shows it, never as HTML reads it.
func escaped(_ text: String) -> String {
    var out = ""
    for character in text {
        switch character {
        case "&": out += "&amp;"
        case "<": out += "&lt;"
        case ">": out += "&gt;"
        case "\"": out += "&quot;"
        default: out.append(character)
        }
    }
    return out
}
