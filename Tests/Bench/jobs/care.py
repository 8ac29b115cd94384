"""The visit is signed, paid, and what was prescribed leaves the shelf; and somebody logs in to do it."""
from clinic import PASSWORD
from drive import wrk
from jobs.job import Job
from machine import parallel
from stage import as_json

LOGINS = 64
DRUGS = 200


def accounts(stage):
    """Many people, so that nobody's wrong guesses are counted while the right one is on its way."""
    stage.settle()
    # What wrk broke off at the end of the run before counts as wrong guesses of its address.
    stage.psql("delete from auth.login_failure")
    have = int(stage.psql("select count(*) from auth.account where roles = '{nurse}'"))
    if have > LOGINS:
        return
    admin = stage.door.as_("admin")

    def open_account(i):
        person = {"name": f"Bench {i}", "email": f"bench-{i}@demo.example", "roles": ["nurse"]}
        # Of one that a run broken off has opened, the answer comes again, and its password may be chosen already.
        opened = admin.post("/v1/users", person, expect=(201, 409), key=f"bench-login-{i}")
        if opened.status == 201:
            stage.door.post("/v1/auth/login", {"email": person["email"], "password": opened["temporaryPassword"], "newPassword": PASSWORD},
                            expect=(200, 401))

    parallel([lambda i=i: open_account(i) for i in range(LOGINS)], 2)


def opened(stage):
    """Open visits, begun through the API: what a doctor finds is sealed under the patient's key."""
    stage.settle()
    missing = VISIT.need - int(stage.psql("select count(*) from clinical.visit where status = 'in_progress'"))
    while missing > 0:
        ids = stage.psql(f"""select id from clinical.patient p where active and not exists (select from clinical.visit v where v.patient_id = p.id and status = 'in_progress')
            order by random() limit {VISIT.need}""").splitlines()
        if not ids:
            raise SystemExit(f"bench: {missing} visits are missing, and every patient has one open: load more (BENCH_PATIENTS)")
        wishes = [f"1\tPOST\t/v1/visits\t\t" + as_json({"patientId": id}) for id in ids]
        wrk(stage, f"http://127.0.0.1:{stage.port('clinical')}", wishes, stage_doctor(stage), seconds=2)
        left = VISIT.need - int(stage.psql("select count(*) from clinical.visit where status = 'in_progress'"))
        if left >= missing:
            raise SystemExit("bench: no visit could be begun; read the clinical service's log")
        missing = left
    stage.settle()


def stage_doctor(stage):
    return [stage.door.as_("doctor").token]


def shelf(stage):
    """Medicines with more on the shelf than a bench can hand out."""
    stage.settle()
    stage.psql(f"""
        insert into pharmacy.medicine (id, name, form, unit_price, currency, created_at)
            select bench.id(), 'Bench ' || n, 'tablet', 100, 'INR', now() from generate_series(1, {DRUGS}) n
            where not exists (select from pharmacy.medicine where name = 'Bench 1');
        insert into pharmacy.batch (id, medicine_id, lot_number, expiry_date, received_at, on_hand)
            select bench.id(), id, 'L' || k, current_date + 100 + k, now(), 1000000000 from pharmacy.medicine, generate_series(1, 2) k
            where name like 'Bench %' on conflict do nothing""")


PRESCRIBED = """create table bench.wish as
    with drug as (select id, row_number() over (order by id) as n from pharmacy.medicine where name like 'Bench %')
    select g.n, bench.id() as prescription, bench.id() as item, bench.id() as id, bench.id() as movement, drug.id as medicine,
        (select b.id from pharmacy.batch b where b.medicine_id = drug.id order by expiry_date limit 1) as batch, gen_random_uuid() as patient, gen_random_uuid() as prescriber, gen_random_uuid() as actor,
        json_build_object('service', 'pharmacy') as entry, json_build_object('service', 'pharmacy') as fact, json_build_object('service', 'pharmacy') as moved
    from generate_series(1, {need}) g (n) join drug on drug.n = (g.n - 1) % (select count(*) from drug) + 1;
    update bench.wish set entry = bench.entry('pharmacy', 'dispense', 'dispensing', id, 'pharmacist', json_build_object('prescriptionId', prescription, 'complete', true, 'lines', 1, 'quantity', 10)),
        fact = json_build_object('dispensingId', id, 'prescriptionId', prescription, 'patientId', patient, 'complete', true, 'quantity', 10, 'localDate', '{day}'),
        moved = json_build_object('movementId', movement, 'batchId', batch, 'medicineId', medicine, 'kind', 'OUT', 'delta', -10, 'onHand', 1, 'localDate', '{day}');
    insert into pharmacy.prescription_card (prescription_id, patient_id, prescribed_by, valid_until) select prescription, patient, prescriber, current_date + 30 from bench.wish;
    insert into pharmacy.prescription_item_card (item_id, prescription_id, medicine_id, position, prescribed) select item, prescription, medicine, 0, 10 from bench.wish;
    insert into pharmacy.settlement_card (prescription_id, paid) select prescription, true from bench.wish;
    analyze pharmacy.prescription_card, pharmacy.prescription_item_card, pharmacy.settlement_card, pharmacy.batch, pharmacy.medicine, pharmacy.dispensing, pharmacy.stock_movement"""


def billed(stage):
    stage.settle()
    stage.psql("insert into billing.visit_card (visit_id, patient_id, location_id) select bench.id(), gen_random_uuid(), '%s' from generate_series(1, 2000 - (select count(*)::int from billing.visit_card))" % stage.location)


VISIT = Job(
    "visit", "sign a visit", "clinical", rate=3000, before=opened, callers=stage_doctor,
    setup="""create table bench.wish as select row_number() over () as n, id, patient_id as patient, practitioner_id as doctor, location_id as site,
            json_build_object('visitId', id, 'patientId', patient_id, 'practitionerId', practitioner_id, 'locationId', location_id,
                'localDate', local_date, 'completedAt', now()) as fact,
            bench.entry('clinical', 'complete', 'visit', id, 'doctor', json_build_object('status', 'completed')) as entry
        from clinical.visit where status = 'in_progress' limit {need}""",
    line="bench.line('1', 'POST', format('/v1/visits/%s/complete', id), '', '{}')",
    effect="select count(*) from clinical.visit where status = 'completed'")

JOBS = [
    Job("login", "log in (Argon2id, 46 MiB)", "auth", before=accounts, fresh=True, connections=8, callers=lambda stage: ["-"],
        setup=f"create table bench.wish as select n, 'bench-' || n - 1 || '@demo.example' as email from generate_series(1, {LOGINS}) n",
        line="""bench.line('', 'POST', '/v1/auth/login', '', format('{"email":"%s","password":"PASSWORD"}', email))""".replace("PASSWORD", PASSWORD)),
    VISIT,
    Job("pay", "invoice and pay (two requests)", "billing", rate=3000, before=billed, steps=2,
        setup="create table bench.wish as select row_number() over () as n, visit_id as visit, patient_id as patient, location_id as location from billing.visit_card limit 2000",
        line="""bench.line('1', 'POST', '/v1/invoices', '', format('{"visitId":"%s","mode":"MANUAL","lines":[{"description":"Consultation","quantity":1,"unitPrice":{"amount":50000,"currency":"INR"},"taxPercent":18}]}', visit))""",
        follow=("/v1/invoices/{id}/pay", '{"method":"CASH"}'),
        effect="select (select count(*) from billing.invoice) + (select count(*) from billing.payment)"),
    Job("dispense", "dispense a paid prescription", "pharmacy", rate=3000, before=shelf, callers=lambda stage: [stage.door.as_("pharmacist").token],
        setup=PRESCRIBED,
        line="""bench.line('1', 'POST', '/v1/dispensing', '', format('{"prescriptionId":"%s"}', prescription))""",
        effect="select count(*) from pharmacy.dispensing"),
]
