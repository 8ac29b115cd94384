import Access
import HTTP
import JSON

/// The OpenAPI 3.1 document of one service, made from the same values that check its requests.
/// `deploy/openapi-merge.py` joins the documents of all services into `docs/openapi.json`.
struct OpenAPIDocument {
    let service: String
    let routes: [Route]

    var json: JSONObject {
        var paths = JSONObject()
        for route in routes where !route.pattern.hasPrefix("/internal/") {
            let path = Self.template(route.pattern)
            var item = JSONObject()
            if case .object(let known)? = paths[path] { item = known }
            item.members.append((route.method.lowercased(), .object(operation(route))))
            paths.members.removeAll { $0.name == path }
            paths.members.append((path, .object(item)))
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": .string("Polyclinic: \(service)"), "version": "1",
                "license": ["name": "MIT", "identifier": "MIT"],
            ],
            "tags": [["name": .string(service)]],
            "paths": .object(paths),
            "components": .object([
                "schemas": ["Problem": .object(Self.problemSchema)],
                "securitySchemes": ["bearer": ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"]],
            ]),
        ]
    }

    // MARK: one operation

    private func operation(_ route: Route) -> JSONObject {
        var operation: JSONObject = [
            "operationId": .string(Self.operationID(route)), "summary": .string(route.docs.summary),
            "tags": [.string(service)],
        ]
        let isOpen = route.permission == .anyone
        operation["security"] = isOpen ? [] : [["bearer": []]]
        if !isOpen {
            operation["x-permission"] = .string(route.permission.rawValue)
            let roles = route.permission.roles.map(\.rawValue).sorted()
            operation["description"] = .string(
                "Permission `\(route.permission.rawValue)`: \(roles.joined(separator: ", ")).")
        }
        let parameters = pathParameters(route) + queryParameters(route) + headerParameters(route)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let body = route.docs.body {
            operation["requestBody"] = .object(requestBody(body, route.docs))
        }
        operation["responses"] = .object(responses(route, isOpen: isOpen))
        return operation
    }

    private func pathParameters(_ route: Route) -> [JSONValue] {
        Self.names(route.pattern).map { name in
            let schema: JSONValue =
                Self.isIdentifier(name) ? ["type": "string", "format": "uuid"] : ["type": "string"]
            return ["name": .string(name), "in": "path", "required": true, "schema": schema]
        }
    }

    private func queryParameters(_ route: Route) -> [JSONValue] {
        route.docs.query.map { field in
            var parameter: JSONObject = [
                "name": .string(field.name), "in": "query", "required": .bool(field.isRequired),
                "schema": .object(field.schema.document),
            ]
            if let note = field.note { parameter["description"] = .string(note) }
            return .object(parameter)
        }
    }

    private func headerParameters(_ route: Route) -> [JSONValue] {
        var headers: [JSONValue] = []
        if route.method == "POST" && route.permission != .anyone {
            headers.append([
                "name": "Idempotency-Key", "in": "header", "required": false,
                "schema": ["type": "string", "maxLength": .int(255)],
                "description": "Same key and body: the stored answer again. Another body: 422.",
            ])
        }
        if route.docs.asksForVersion {
            headers.append([
                "name": "If-Match", "in": "header", "required": true, "schema": ["type": "string"],
                "description": "The ETag that was read. Missing: 428, stale: 412.",
            ])
        }
        return headers
    }

    private func requestBody(_ schema: Schema, _ docs: Route.Docs) -> JSONObject {
        let media: JSONValue = ["schema": .object(schema.document)]
        let content: JSONObject =
            docs.isForm
            ? ["application/x-www-form-urlencoded": media]
            : docs.isMergePatch
            ? ["application/merge-patch+json": media, "application/json": media] : ["application/json": media]
        var isRequired = true
        if case .object(let fields) = schema { isRequired = fields.contains(where: \.isRequired) }
        return ["required": .bool(isRequired), "content": .object(content)]
    }

    private func responses(_ route: Route, isOpen: Bool) -> JSONObject {
        var responses = JSONObject()
        for answer in route.docs.answers {
            var response: JSONObject = ["description": .string(Self.phrase(answer.status))]
            if let schema = answer.schema {
                response["content"] = ["application/json": ["schema": .object(schema.document)]]
                let links = links(from: route, answering: schema)
                if !links.members.isEmpty { response["links"] = .object(links) }
            }
            responses["\(answer.status)"] = .object(response)
        }
        // Such protocols refuse in words of their own, and to people on pages.
        if route.docs.isForm {
            responses["default"] = ["description": "A refusal in the protocol's own words, or a page."]
            return responses
        }
        for status in [400] + (isOpen ? [] : [401, 403]) where responses["\(status)"] == nil {
            responses["\(status)"] = problem(Self.phrase(status))
        }
        let codes = route.docs.problems
        let known = codes.isEmpty ? "" : " Codes: " + codes.map { "`\($0)`" }.joined(separator: ", ") + "."
        responses["default"] = problem("Any other problem." + known)
        return responses
    }

    /// What can be asked next about what was made or listed: clients find their way by it, and so do testing tools.
    private func links(from route: Route, answering schema: Schema) -> JSONObject {
        let made = schema.has("id"), listed = schema.element("items")?.has("id") ?? false
        guard made || listed, !route.pattern.contains(":") else { return JSONObject() }
        var links = JSONObject()
        for next in routes where next.pattern.hasPrefix(route.pattern + "/:id") && Self.names(next.pattern) == ["id"] {
            var parameters: JSONObject = ["path.id": made ? "$response.body#/id" : "$response.body#/items/0/id"]
            if next.docs.asksForVersion {
                guard made else { continue }  // A list has no ETag of its lines.
                parameters["header.If-Match"] = "$response.header.ETag"
            }
            links[Self.operationID(next)] = ["operationId": .string(Self.operationID(next)), "parameters": .object(parameters)]
        }
        return links
    }

    private func problem(_ description: String) -> JSONValue {
        let media: JSONValue = ["schema": ["$ref": "#/components/schemas/Problem"]]
        return ["description": .string(description), "content": ["application/problem+json": media]]
    }

    // MARK: words

    /// Stable for as long as method and pattern are: `postV1AppointmentsById`.
    static func operationID(_ route: Route) -> String {
        var id = route.method.lowercased()
        for segment in route.pattern.split(separator: "/") {
            let isName = segment.first == ":"
            let words = segment.drop { $0 == ":" }.split { !$0.isLetter && !$0.isNumber }
            id += (isName ? "By" : "") + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        }
        return id
    }

    static func template(_ pattern: String) -> String {
        "/"
            + pattern.split(separator: "/").map { $0.first == ":" ? "{\($0.dropFirst())}" : String($0) }.joined(
                separator: "/")
    }

    private static func names(_ pattern: String) -> [String] {
        pattern.split(separator: "/").filter { $0.first == ":" }.map { String($0.dropFirst()) }
    }

    private static func isIdentifier(_ name: String) -> Bool {
        name == "id" || name.hasSuffix("Id") || name.hasSuffix("ID")
    }

    private static func phrase(_ status: Int) -> String {
        switch status {
        case 200: "Done."
        case 201: "Created."
        case 202: "Accepted."
        case 204: "Done; there is nothing to say."
        case 400: "Fields are missing or wrong: all of them are listed."
        case 401: "No valid token."
        case 403: "The role does not permit this, and an audit entry says so."
        default: "Status \(status)."
        }
    }

    private static let problemSchema: JSONObject = [
        "type": "object",
        "required": ["type", "title", "status", "code", "traceId"],
        "properties": [
            "type": ["type": "string"], "title": ["type": "string"], "status": ["type": "integer"],
            "detail": ["type": "string"],
            "code": ["type": "string", "description": "Stable snake_case: what clients branch on."],
            "traceId": ["type": "string"],
            "errors": [
                "type": "array",
                "items": [
                    "type": "object", "required": ["pointer", "code", "detail"],
                    "properties": [
                        "pointer": ["type": "string", "description": "JSON Pointer (RFC 6901)."],
                        "code": ["type": "string"], "detail": ["type": "string"],
                    ],
                ],
            ],
        ],
    ]
}

extension Route.Docs {
    /// Whether a change names the version it was made from.
    fileprivate var asksForVersion: Bool { isMergePatch || problems.contains("stale_version") }
}
