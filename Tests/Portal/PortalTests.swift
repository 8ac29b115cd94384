import TestSupport
import Testing

@testable import Portal

@Suite struct PageTests {
    @Test func `Text becomes HTML that shows it and runs nothing`() {
        #expect(escaped("<script>alert(\"x\")</script> & more") == "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; more")
    }

    @Test func `A folder answers for its own files and never for a path`() async throws {
        try await onLoop {
            let folder = Folder("/etc")
            #expect(folder.has("hostname"))
            #expect(folder["hostname"] != nil)
            #expect(folder["hostname"] == folder["hostname"])
            #expect(folder["../etc/hostname"] == nil && !folder.has("../etc/hostname"))
            #expect(folder["apt/sources.list"] == nil)
            #expect(folder[".."] == nil && folder["apt"] == nil)
        }
    }
}
