import HTTP
import Testing

@testable import Access

struct RouteMatrixTests {
    @Test func `Every route shows its permission and who holds it`() {
        let routes: [Route] = [
            .post("/v1/users", for: .manageUsers, Route.Docs("Create a user")) { _, _ in .noContent },
            .get("/v1/auth/me", for: .signedIn, Route.Docs("Say who I am")) { _, _ in .noContent },
            .anyone("POST", "/v1/auth/login", Route.Docs("Sign in")) { _ in .noContent },
        ]
        #expect(
            RouteMatrix.text(of: routes) == """
                POST  /v1/auth/login  anyone      | (no token)
                GET   /v1/auth/me     signedIn    | (any role)
                POST  /v1/users       manageUsers | admin

                """)
    }
}
