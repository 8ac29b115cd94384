import Access
import Cryptography
import JSON
import Primitives

struct LicenceView: JSONWritable {
    let licence: Licence
    let documents: [LicenceDocument]

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("accountId", licence.account)
            $0.field("number", licence.number)
            $0.field("authority", licence.authority)
            $0.field("validUntil", licence.validUntil)
            $0.field("status", licence.status.rawValue)
            $0.field("reason", licence.reason)
            $0.field("submittedAt", licence.submittedAt)
            $0.field("decidedAt", licence.decidedAt)
            $0.field("inForceUntil", licence.inForceUntil)
            if !licence.seen.isEmpty { $0.field("seen", LicenceDocument.Kind.words(licence.seen)) }
            $0.array("documents", documents) { json, document in DocumentView(document: document).write(to: &json) }
        }
    }

    static let schema = Schema.object([
        .required("accountId", .id), .required("number", .text(max: 60)), .required("authority", .text(max: 120)),
        .required("validUntil", .date), .required("status", .choice(["draft", "submitted", "verified", "rejected"])),
        .optional("reason", .text(max: 500)), .optional("submittedAt", .instant), .optional("decidedAt", .instant),
        .optional("inForceUntil", .date, "The last day of the one that was verified, good while another is looked at"),
        .optional("seen", seen, "What the administrator had before them who opened the account, where no pages were handed in"),
        .required("documents", .list(of: DocumentView.schema, max: 20)),
    ])
    static let seen = Schema.list(of: .choice(LicenceDocument.Kind.allCases.map(\.rawValue)), max: 2)
}

struct DocumentView: JSONWritable {
    let document: LicenceDocument

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", document.id)
            $0.field("kind", document.kind.rawValue)
            $0.field("mediaType", document.mediaType)
            $0.field("size", document.size)
            $0.field("uploadedAt", document.uploadedAt)
        }
    }

    static let schema = Schema.object([
        .required("id", .id), .required("kind", .choice(["licence", "identity"])), .required("mediaType", .text(max: 60)),
        .required("size", .integer(1...Int64(LicenceDocument.longest))), .required("uploadedAt", .instant),
    ])
}

struct ContentView: JSONWritable {
    let mediaType: String
    let bytes: [UInt8]

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("mediaType", mediaType)
            $0.field("content", Base64URL.encode(bytes))
        }
    }

    static let schema = Schema.object([
        .required("mediaType", .text(max: 60)), .required("content", .text(max: 700_000), "base64url"),
    ])
}

extension Licence {
    /// What says which licence it is.
    static let particulars: [Schema.Field] = [
        .required("number", .text(max: 60)), .required("authority", .text(max: 120), "Who issued it"),
        .required("validUntil", .date, "The last day it is good for"),
    ]
}

extension LicenceRoutes {
    static let showDocs = Route.Docs("Show a licence and what was handed in for it", answers: [(200, LicenceView.schema)])
    static let draftDocs = Route.Docs(
        "Write down the particulars of the own licence; new ones ask for new pages and a new look, what is verified holds meanwhile",
        body: .object(Licence.particulars), answers: [(200, LicenceView.schema)], problems: ["not_a_doctor"])
    static let uploadDocs = Route.Docs(
        "Upload a page: PDF, JPEG or PNG of at most 512 KB",
        body: .object([
            .required("kind", .choice(["licence", "identity"])), .required("content", .text(max: 700_000), "base64url"),
        ]),
        answers: [(201, DocumentView.schema)],
        problems: ["not_a_doctor", "licence_submitted", "too_many_documents", "invalid_request"])
    static let removeDocs = Route.Docs(
        "Remove a page that was not handed in yet", answers: [(204, nil)], problems: ["licence_submitted"])
    static let submitDocs = Route.Docs(
        "Hand the licence in", answers: [(200, LicenceView.schema)], problems: ["documents_missing", "licence_submitted"])
    static let listDocs = Route.Docs(
        "List the licences that wait for a decision, longest first",
        answers: [(200, .object([.required("items", .list(of: LicenceView.schema, max: 100)), .optional("nextCursor", .text(max: 500))]))])
    static let contentDocs = Route.Docs("Read a page that was handed in", answers: [(200, ContentView.schema)])
    static let decideDocs = Route.Docs(
        "Verify a licence, or refuse it with a reason",
        body: .object([
            .required("verified", .boolean), .optional("reason", .text(max: 500), "Required to refuse"),
            .optional("withdraws", .boolean, "Refusing a renewal: what was verified before is no longer good either"),
        ]),
        answers: [(200, LicenceView.schema)],
        problems: ["licence_not_submitted", "own_licence", "licence_expired", "insufficient_user_authentication"])
}
