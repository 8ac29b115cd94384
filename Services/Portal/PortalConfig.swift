import Bootstrap

/// What an operator may change without a build.
struct PortalConfig: ServiceConfig {
    let host: HostConfig
    /// Where each service says how it is: `auth=http://127.0.0.1:8091,…`.
    let healthURLs: [String: String]
    /// The folder with the Swagger UI files; without them /docs shows the plain document.
    let assets: String
    /// The folder with openapi.json and asyncapi.json.
    let docs: String

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "portal")
        healthURLs = read.table("HEALTH_URLS")
        assets = read.text("PORTAL_ASSETS", default: "/usr/share/polyclinic/assets")
        docs = read.text("PORTAL_DOCS", default: "/usr/share/polyclinic/docs")
        try read.finish()
    }
}
