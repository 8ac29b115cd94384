"""A worker that is not ours: pika, its own broker user, its own queue (see /docs/events)."""
import json
import re
import time

import pika
import pytest

from clinic import unique


@pytest.fixture()
def worker(env):
    connection = pika.BlockingConnection(pika.URLParameters(env["AMQP_URL"]))
    channel = connection.channel()
    name = "worker." + unique("journal")
    channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(name, "polyclinic", "#")
    yield channel, name
    channel.queue_delete(name) if channel.is_open else None
    connection.close()


def read(channel, name, wanted, seconds=20):
    got, until = [], time.monotonic() + seconds
    while time.monotonic() < until and not wanted <= {e["type"] for e in got}:
        method, properties, body = channel.basic_get(name, auto_ack=True)
        if method is None:
            time.sleep(0.02)
            continue
        event = json.loads(body)
        assert properties.content_type == "application/cloudevents+json" and properties.delivery_mode == 2
        assert event["type"] == method.routing_key
        got.append(event)
    missing = wanted - {e["type"] for e in got}
    assert not missing, missing
    return got


def test_an_outside_worker_receives_the_journey_as_cloudevents(worker, door, reception, pharmacist, doctor, make_patient, make_slots, make_medicine, make_prescription):
    channel, name = worker
    canary = "Canaryname Featherstonehaugh"
    patient, slot = make_patient(canary), make_slots(doctor[1])[7]
    booked = reception.post("/v1/appointments", {"slotId": slot["id"], "patientId": patient["id"], "reason": canary})
    visit, prescription = make_prescription(doctor, make_medicine(), patient=patient)
    invoice = reception.post("/v1/invoices", {"visitId": visit["id"], "mode": "AUTO"})
    reception.post(f"/v1/invoices/{invoice['id']}/pay", {"method": "CASH"})
    pharmacist.post("/v1/dispensing", {"prescriptionId": prescription["id"]})

    events = read(channel, name, {
        "clinical.patient.registered.v1", "scheduling.appointment.booked.v1", "clinical.visit.started.v1", "clinical.visit.completed.v1",
        "clinical.prescription.issued.v1", "billing.invoice.issued.v1", "billing.payment.received.v1", "billing.invoice.paid.v1",
        "pharmacy.prescription.dispensed.v1", "pharmacy.stock.moved.v1"})

    documented = str(door.get("/docs/asyncapi.json").json)
    for event in events:
        assert event["specversion"] == "1.0" and event["id"] and event["source"].startswith("/") and event["subject"] and event["tenantid"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["time"])
        assert event["type"] in documented
    assert len({e["id"] for e in events}) == len(events)
    mine = next(e for e in events if e["type"] == "scheduling.appointment.booked.v1" and e["subject"] == booked["id"])
    assert mine["data"]["patientId"] == patient["id"]
    assert "Canaryname" not in json.dumps(events) and patient["phone"] not in json.dumps(events)


def test_the_outside_worker_may_touch_nothing_else(env):
    for attempt in (
        lambda c: c.queue_declare("billing.somebody"),
        lambda c: c.queue_purge("notifications.tell-of-booking"),
        lambda c: c.basic_get("notifications.tell-of-booking"),
        lambda c: c.basic_publish("polyclinic", "billing.invoice.paid.v1", b"{}"),
    ):
        connection = pika.BlockingConnection(pika.URLParameters(env["AMQP_URL"]))
        channel = connection.channel()
        channel.confirm_delivery()
        with pytest.raises(pika.exceptions.ChannelClosedByBroker) as refusal:
            attempt(channel)
        assert refusal.value.reply_code == 403
        connection.close() if connection.is_open else None
