import AMQP
import Loop
import Messaging

@LoopActor enum MessagingMetrics {
    static func write(_ messenger: Messenger, to page: inout Exposition) {
        let relay = messenger.relay.metrics
        page.add(
            "polyclinic_outbox_published_total", .counter, "Facts the broker confirmed.", Double(relay.published))
        page.add(
            "polyclinic_outbox_retried_total", .counter, "Attempts the broker did not confirm.", Double(relay.retried)
        )
        page.add(
            "polyclinic_outbox_oldest_unpublished_seconds", .gauge, "Age of the oldest fact that has not left.",
            Double(relay.oldestUnpublished.components.seconds))
        let consumer = messenger.consumer.metrics
        page.add("polyclinic_events_handled_total", .counter, "Events reacted to.", Double(consumer.handled))
        page.add(
            "polyclinic_events_duplicate_total", .counter, "Events delivered again, without effect.",
            Double(consumer.duplicates))
        page.add(
            "polyclinic_events_retried_total", .counter, "Events sent round for another attempt.",
            Double(consumer.retried))
        page.add(
            "polyclinic_events_parked_total", .counter, "Events given up, waiting for a human.",
            Double(consumer.parked))
        page.add("polyclinic_events_isolated_total", .counter, "Events handled alone.", Double(consumer.isolated))
        page.family("polyclinic_events_parking", .gauge, "Events in the parking queue of a reaction.")
        for (reaction, count) in consumer.parking.sorted(by: { $0.key < $1.key }) {
            page.sample("polyclinic_events_parking", [("reaction", reaction)], Double(count))
        }
        page.add(
            "polyclinic_broker_up", .gauge, "Whether events can be published.",
            messenger.publisher.isConnected ? 1 : 0)
    }
}
