import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// What other services may know of ours: ids and states, on a path the gateway does not route.
@LoopActor struct CardRoutes {
    let host: Host

    var table: [Route] {
        [
            .get("/internal/cards/patients/:id", for: .readCards, .init("Tell whether a patient's record is open"), patient),
            .get("/internal/cards/visits/:id", for: .readCards, .init("Tell a visit's state and what was prescribed"), visit),
            .get("/internal/cards/prescriptions/:id", for: .readCards, .init("Tell what was prescribed"), prescription),
        ]
    }

    private func patient(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        guard let active = try await PatientStore(sql: reader(caller), scope: caller.cardScope).isActive(id) else {
            throw Problem.notFound("patient")
        }
        // The word as it stands now, not as an event told it some time ago: whoever takes it back is heard at once.
        let agreed = try await Consent.standing(of: id, reader(caller))
        return .json(
            200,
            JSONObject([
                ("patientId", .string(id.description)), ("active", .bool(active)),
                ("consents", .array(agreed.map { .string($0.rawValue) })),
            ]))
    }

    private func visit(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: VisitID = try request.id("id")
        let store = CardStore(sql: reader(caller), scope: caller.cardScope)
        guard let card = try await store.visit(id) else { throw Problem.notFound("visit") }
        return .json(200, VisitCard(visit: card, prescriptions: try await store.prescriptions(of: id)))
    }

    private func prescription(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PrescriptionID = try request.id("id")
        let store = CardStore(sql: reader(caller), scope: caller.cardScope)
        guard let card = try await store.prescription(id) else {
            throw Problem.notFound("prescription")
        }
        return .json(200, PrescriptionCard(card: card, today: caller.today(at: host.now())))
    }

    private func reader(_ caller: Principal) -> any SQLSession { host.db.reader(for: caller.tenant) }
}

private struct VisitCard: JSONWritable {
    let visit: CardStore.VisitRow
    let prescriptions: [CardStore.PrescriptionRow]

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("visitId", visit.id)
            $0.field("patientId", visit.patient)
            $0.field("practitionerId", visit.practitioner)
            $0.field("tokenId", visit.token)
            $0.field("appointmentId", visit.appointment)
            $0.field("status", visit.status)
            $0.field("locationId", visit.location)
            $0.field("localDate", visit.localDate)
            $0.array("prescriptions", prescriptions) { json, prescription in
                json.object { prescription.writeMembers(to: &$0) }
            }
        }
    }
}

private struct PrescriptionCard: JSONWritable {
    let card: CardStore.PrescriptionRow
    let today: LocalDate

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("visitId", card.visit)
            $0.field("patientId", card.patient)
            $0.field("practitionerId", card.practitioner)
            $0.field("status", today <= card.validUntil ? "active" : "expired")
            card.writeMembers(to: &$0)
        }
    }
}

/// The statements behind the cards: they open nothing sealed.
@LoopActor private struct CardStore {
    let sql: any SQLSession
    let scope: PatientScope

    struct VisitRow {
        let id: VisitID
        let patient: PatientID
        let practitioner: AccountID
        let token: TokenID?
        let appointment: AppointmentID?
        let status: String
        let location: LocationID
        let localDate: LocalDate
    }

    struct PrescriptionRow {
        let id: PrescriptionID
        let visit: VisitID
        let patient: PatientID
        let practitioner: AccountID
        let validUntil: LocalDate
        /// `[{itemId, medicineId, quantity}]`, as Postgres wrote it.
        let items: String

        func writeMembers(to json: inout JSONWriter) {
            json.field("prescriptionId", id)
            json.field("validUntil", validUntil)
            json.key("items")
            json.raw(items.utf8)
        }
    }

    func visit(_ id: VisitID) async throws -> VisitRow? {
        try await sql.first(
            """
            select v.id, v.patient_id, v.practitioner_id, v.token_id, v.appointment_id, v.status, v.location_id, v.local_date
            from visit v join patient p on p.id = v.patient_id where v.id = \(id) and \(scope.clause)
            """
        ) { row in
            VisitRow(
                id: try row.next(), patient: try row.next(), practitioner: try row.next(), token: try row.next(),
                appointment: try row.next(), status: try row.next(), location: try row.next(),
                localDate: try row.next())
        }
    }

    func prescriptions(of visit: VisitID) async throws -> [PrescriptionRow] {
        try await sql.all("\(unsafe: Self.select) where r.visit_id = \(visit) and \(scope.clause) order by r.id limit 100", as: Self.read)
    }

    func prescription(_ id: PrescriptionID) async throws -> PrescriptionRow? {
        try await sql.first("\(unsafe: Self.select) where r.id = \(id) and \(scope.clause)", as: Self.read)
    }

    private static let select = """
        select r.id, r.visit_id, r.patient_id, r.practitioner_id, r.valid_until,
               coalesce((select json_agg(json_build_object('itemId', i.id, 'medicineId', i.medicine_id, 'quantity', i.quantity)
                                         order by i.position)::text
                         from prescription_item i where i.prescription_id = r.id), '[]')
        from prescription r join patient p on p.id = r.patient_id
        """

    private nonisolated static func read(_ row: inout Row) throws -> PrescriptionRow {
        PrescriptionRow(
            id: try row.next(), visit: try row.next(), patient: try row.next(), practitioner: try row.next(),
            validUntil: try row.next(), items: try row.next())
    }
}
