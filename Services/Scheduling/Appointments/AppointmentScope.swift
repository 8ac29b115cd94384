import Access
import Bootstrap
import Postgres

extension PatientScope {
    /// Whose appointments, as a condition on `appointment`: a nurse's site, and for a doctor the own ones wherever they
    /// are, those at the own site, and those of patients who are booked with or were seen by them.
    var appointments: SQL {
        guard patients == .charts, let account, let location else { return clause("patient_id") }
        if isBySite { return "location_id = \(location)" }
        let own: SQL = "(select id from provider where account_id = \(account))"
        return """
            (location_id = \(location) or provider_id = \(own)
             or exists (select from appointment own
                        where own.patient_id = appointment.patient_id and own.provider_id = \(own)
                          and own.status in ('booked', 'arrived', 'fulfilled')))
            """
    }
}
