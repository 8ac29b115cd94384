import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Prescribing, and reading and printing what was prescribed.
@LoopActor struct PrescriptionRoutes {
    let host: Host
    let keys: TenantKeys
    let clinicName: String

    var table: [Route] {
        [
            .post(
                "/v1/prescriptions", for: .prescribe,
                .init(
                    "Prescribe medicines in an open visit", body: .newPrescription, answers: [(201, .prescription)],
                    problems: [
                        "safety_alert", "medicine_unknown", "medicine_inactive", "visit_unknown", "visit_signed", "prescriber_unlicensed",
                    ]),
                prescribe),
            .get(
                "/v1/prescriptions/:id", for: .readPrescriptions,
                .init("Read a prescription", answers: [(200, .prescription)]), show),
            .get(
                "/v1/prescriptions/:id/print", for: .readPrescriptions,
                .init("Print a prescription as PDF", answers: [(200, .any)]), printed),
        ]
    }

    private func prescribe(_ request: Request, _ caller: Principal) async throws -> Response {
        let visitID: VisitID = try request.body.required("visitId")
        let reason = try request.body.optional("overrideReason", as: String.self).flatMap { $0.isBlank ? nil : $0 }
        let ordered = try request.body.required("items", as: [JSONObject].self)
        let ids = try ordered.map { try $0.required("medicineId", as: MedicineID.self) }
        let cards = try await FindMedicines(host: host, caller: caller).cards(for: ids)
        let items = try OrderedItems(cards: cards).read(ordered)
        let now = host.now()
        let today = caller.today(at: now)
        try await RequireLicence(host: host)(of: caller, on: today, orThrow: PrescriptionError.unlicensed)
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            // Locked, so that nobody signs the visit while this is written.
            let scope = caller.chartScope
            guard let row = try await VisitStore(sql: tx, scope: scope).findForUpdate(visitID) else {
                let refusal = try await ChartRefusal(sql: tx, scope: scope).visit(visitID)
                throw refusal.status == 404 ? PrescriptionError.visitUnknown : refusal
            }
            let vault = try row.vault(ring, scope)
            try row.open(vault).mayBeExtended()
            let alerts = try await alerts(for: items, on: today, vault, ring, scope, tx)
            guard alerts.isEmpty || reason != nil else { throw PrescriptionError.alerts(alerts) }

            let prescription = Prescription(
                id: PrescriptionID(), visit: visitID, patient: row.patient, practitioner: caller.account, issuedAt: now,
                localDate: today, validUntil: today.adding(days: Prescription.validDays), items: items,
                overrideReason: alerts.isEmpty ? nil : reason)
            try await PrescriptionStore(sql: tx, vault: vault).insert(prescription, alerts: alerts)
            try tx.announce(prescription.issued, revision: 1)
            try tx.audit(
                alerts.isEmpty ? "create" : "create_overriding_alerts", "prescription", prescription.id.description, of: row.patient,
                after: JSONObject([
                    ("visitId", .string(visitID.description)), ("items", .int(Int64(items.count))),
                    ("alerts", .array(alerts.map { .string($0.kind.rawValue) })),
                ]))
            return .created(
                PrescriptionView(prescription: prescription, today: today), version: 1,
                at: "/v1/prescriptions/\(prescription.id)")
        }
    }

    private func alerts(
        for items: [PrescriptionItem], on today: LocalDate, _ vault: PatientVault, _ ring: KeyRing, _ scope: PatientScope,
        _ tx: Transaction
    ) async throws -> [SafetyCheck.Alert] {
        guard let row = try await PatientStore(sql: tx, scope: scope).find(vault.patient) else { throw VisitError.patientUnknown }
        let personal = try Personal(stored: row.open(ring, scope))
        let current = try await PrescriptionStore(sql: tx, vault: vault).current(on: today, in: scope)
        return SafetyCheck(allergies: personal.allergies, current: current).alerts(for: items.map(\.medicine.checked))
    }

    private func show(_ request: Request, _ caller: Principal) async throws -> Response {
        let prescription = try await find(request, caller, "prescription")
        return .json(200, PrescriptionView(prescription: prescription, today: caller.today(at: host.now())), version: 1)
    }

    private func printed(_ request: Request, _ caller: Principal) async throws -> Response {
        let prescription = try await find(request, caller, "prescription_print")
        let scope = caller.prescriptionScope
        let sql = host.db.reader(for: caller.tenant)
        guard let row = try await PatientStore(sql: sql, scope: scope).find(prescription.patient),
            let ring = try await keys.existing(caller.tenant)
        else { throw Problem.notFound("prescription") }
        let prescriber = try await PractitionerCardStore(sql: sql).name(of: prescription.practitioner)
        let page = PrescriptionPage(
            clinic: clinicName, patient: try Personal(stored: row.open(ring, scope)), mrn: row.mrn,
            prescriber: prescriber, prescription: prescription)
        let pdf = try await host.blocking.run { try page.pdf() }
        return .document("application/pdf", pdf, fileName: "prescription-\(prescription.id).pdf")
    }

    private func find(_ request: Request, _ caller: Principal, _ what: String) async throws -> Prescription {
        let id: PrescriptionID = try request.id("id")
        let scope = caller.prescriptionScope
        let sql = host.db.reader(for: caller.tenant)
        guard let owner = try await PrescriptionIndex(sql: sql, scope: scope).owner(of: id),
            let ring = try await keys.existing(caller.tenant)
        else { throw try await ChartRefusal(sql: sql, scope: scope).prescription(id) }
        scope.trail?.read(what, id.description, of: owner.patient, on: owner.ground)
        let vault = try PatientVault(of: owner.patient, wrappedKey: owner.dataKey, ring: ring, for: scope)
        guard let prescription = try await PrescriptionStore(sql: sql, vault: vault).find(id) else {
            throw Problem.notFound("prescription")
        }
        return prescription
    }
}

extension Principal {
    /// Whoever hands out medicines reads any prescription of the tenant, and nothing else of a chart.
    var prescriptionScope: PatientScope { has(.pharmacist) ? deskScope : chartScope }
}

/// Reads the items of an order against the cards of their medicines; every wrong item is named at once.
struct OrderedItems {
    let cards: [MedicineID: MedicineCard]

    func read(_ ordered: [JSONObject]) throws -> [PrescriptionItem] {
        var items: [PrescriptionItem] = []
        var errors: [FieldError] = []
        for (index, order) in ordered.enumerated() {
            guard let card = cards[try order.required("medicineId")] else { throw PrescriptionError.medicineUnknown }
            guard card.active else { throw PrescriptionError.medicineInactive }
            let given = try order.optional("doseUnit", as: String.self).flatMap { $0.isBlank ? nil : $0 }
            guard let dose = Thousandths(try order.required("dose", as: Double.self)), dose.value > 0 else {
                errors.append(refused(index, "dose", "too_precise", "At most three decimal places."))
                continue
            }
            let perDay: Int = try order.required("frequencyPerDay")
            let days: Int = try order.required("durationDays")
            do {
                let dispensed = try DispenseQuantity(
                    form: card.form, strength: card.strength, dose: dose.value, doseUnit: given,
                    timesPerDay: Int64(perDay), days: Int64(days))
                items.append(
                    PrescriptionItem(
                        id: PrescriptionItemID(), medicine: card, dose: dose, doseUnit: given ?? dispensed.unit,
                        frequencyPerDay: perDay, durationDays: days, quantity: dispensed.quantity, unit: dispensed.unit,
                        instructions: try order.optional("instructions", as: String.self).flatMap { $0.isBlank ? nil : $0 }))
            } catch DispenseQuantity.Refusal.unsuitableUnit {
                let detail = "This medicine is not dosed in that unit; say how many pieces or millilitres."
                errors.append(refused(index, "doseUnit", "unsuitable_unit", detail))
            } catch DispenseQuantity.Refusal.outOfRange {
                errors.append(refused(index, "dose", "out_of_range", "The course adds up to more than can be dispensed."))
            }
        }
        if !errors.isEmpty { throw Problem.invalid(errors) }
        return items
    }

    private func refused(_ index: Int, _ field: String, _ code: String, _ detail: String) -> FieldError {
        FieldError(pointer: "/items/\(index)/\(field)", code: code, detail: detail)
    }
}

extension String {
    var isBlank: Bool { allSatisfy(\.isWhitespace) }
}

extension Schema {
    static let newPrescription = Schema.object([
        .required("visitId", .id),
        .required(
            "items",
            .list(
                of: .object([
                    .required("medicineId", .id),
                    .required("dose", .number(0.001...10_000), "Per intake; half a tablet is 0.5"),
                    .optional("doseUnit", .nullable(.text(min: 0, max: 40)), "tablet, ml, mg, … by the form if left out"),
                    .required("frequencyPerDay", .integer(1...24)),
                    .required("durationDays", .integer(1...365)),
                    .optional("instructions", .nullable(.text(min: 0, max: 500))),
                ]), min: 1, max: Prescription.mostItems)),
        .optional("overrideReason", .nullable(.text(min: 0, max: 1_000)), "Why to go on in spite of a safety alert"),
    ])

    static let prescription = Schema.object([
        .required("id", .id), .required("visitId", .id), .required("patientId", .id), .required("practitionerId", .id),
        .required("issuedAt", .instant), .required("localDate", .date),
        .required("validUntil", .date, "The last day on which it may be dispensed"),
        .optional("status", .choice(["active", "expired"])), .optional("overrideReason", .text(max: 1_000)),
        .required("items", .list(of: prescriptionItem, max: Prescription.mostItems)),
    ])

    private static let prescriptionItem = Schema.object([
        .required("id", .id), .required("medicineId", .id), .required("medicineName", .text(max: 200)),
        .optional("genericName", .text(max: 200)), .required("form", .text(max: 60)),
        .optional("strength", .text(max: 60)), .required("dose", .number(0.001...10_000)),
        .required("doseUnit", .text(max: 40)), .required("frequencyPerDay", .integer(1...24)),
        .required("durationDays", .integer(1...365)), .required("quantity", .integer(1...100_000)),
        .required("unit", .text(max: 20), "What quantity counts: tablet, ml, pack"),
        .optional("instructions", .text(max: 500)),
    ])
}

/// The one place where a prescription's refusals become HTTP.
extension PrescriptionError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .visitUnknown: return .refused("visit_unknown", "There is no such visit.")
        case .medicineUnknown: return .refused("medicine_unknown", "There is no such medicine.")
        case .medicineInactive: return .refused("medicine_inactive", "This medicine is no longer in the catalogue.")
        case .unlicensed:
            return .refused("prescriber_unlicensed", "Your licence was not verified, or is no longer good: hand it in first.")
        case .alerts(let alerts):
            var problem = Problem.refused(
                "safety_alert", "Something speaks against this prescription; see errors. Give overrideReason to go on.")
            problem.errors = alerts.map {
                FieldError(pointer: "/items/\($0.item)", code: $0.kind.rawValue, detail: $0.detail)
            }
            return problem
        }
    }
}
