import Access
import Bootstrap
import Cryptography
import Loop
import Postgres
import Primitives

/// Where on a bill somebody wrote something.
enum InvoiceWords {
    /// What a line charges for.
    case line(InvoiceID, position: Int)
    /// Why it was cancelled.
    case cancellation(InvoiceID)
    /// Why money went back.
    case creditNote(ID<CreditNote>)

    var table: String {
        switch self {
        case .line: "invoice_line"
        case .cancellation: "invoice"
        case .creditNote: "credit_note"
        }
    }

    var column: String {
        switch self {
        case .line: "sealed_description"
        case .cancellation: "sealed_cancelled_reason"
        case .creditNote: "sealed_reason"
        }
    }

    var row: String {
        switch self {
        case .line(let invoice, let position): "\(invoice)/\(position)"
        case .cancellation(let invoice): invoice.description
        case .creditNote(let note): note.description
        }
    }
}

/// Seals under the patient's key in this service. That key outlives an erasure of the patient, because the law wants
/// the document as it was issued; a copy of the database without it tells amounts and ids.
extension PatientVault {
    func seal(_ text: String, _ words: InvoiceWords) throws -> Bytes {
        Bytes(try seal(Array(text.utf8), words.table, words.column, row: words.row))
    }

    func open(_ box: Bytes, _ words: InvoiceWords) throws -> String {
        String(decoding: try open(box.array, words.table, words.column, row: words.row), as: UTF8.self)
    }
}

/// What opens the words of one patient's bills: the key is unwrapped when there is one to open, and once.
@LoopActor final class SealedWords {
    private let patient: PatientID
    private let tenant: TenantID
    private let wrapped: Bytes?
    private let ring: KeyChain?
    private let trail: ReadTrail?
    private var vault: PatientVault?

    /// `wrapped` is the patient's key as it is stored; nil where nothing of theirs was sealed yet.
    init(of patient: PatientID, tenant: TenantID, wrapped: Bytes?, ring: KeyChain?, trail: ReadTrail?) {
        self.patient = patient
        self.tenant = tenant
        self.wrapped = wrapped
        self.ring = ring
        self.trail = trail
    }

    /// What is in the box, or `clear` where it was written before there were boxes.
    func open(_ box: Bytes?, _ words: InvoiceWords, else clear: String) throws -> String {
        guard let box else { return clear }
        guard let wrapped, let ring else { throw VaultFailure.noKey }
        let vault =
            try self.vault
            ?? PatientVault(of: patient, tenant: tenant, wrappedKey: wrapped.array, ring: ring, leaving: trail)
        self.vault = vault
        return try vault.open(box, words)
    }
}
