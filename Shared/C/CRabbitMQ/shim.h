#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <netinet/tcp.h>
#include <string.h>

static inline amqp_table_entry_t polyclinic_amqp_capability(const char *name) {
    amqp_table_entry_t entry;
    memset(&entry, 0, sizeof entry);
    entry.key = amqp_cstring_bytes(name);
    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = 1;
    return entry;
}

/* amqp_login is variadic, which Swift cannot call. Without the capabilities the broker neither tells
   us that it has blocked us nor that a queue we consume from is gone. */
static inline amqp_rpc_reply_t polyclinic_amqp_login(amqp_connection_state_t connection,
                                                     const char *vhost, int heartbeat_s,
                                                     const char *name, const char *user,
                                                     const char *password) {
    amqp_table_entry_t capabilities[] = {
        polyclinic_amqp_capability("connection.blocked"),
        polyclinic_amqp_capability("consumer_cancel_notify"),
        polyclinic_amqp_capability("publisher_confirms"),
        polyclinic_amqp_capability("basic.nack"),
    };
    amqp_table_entry_t properties[2];
    memset(properties, 0, sizeof properties);
    properties[0].key = amqp_cstring_bytes("capabilities");
    properties[0].value.kind = AMQP_FIELD_KIND_TABLE;
    properties[0].value.value.table.num_entries = 4;
    properties[0].value.value.table.entries = capabilities;
    properties[1].key = amqp_cstring_bytes("connection_name");
    properties[1].value.kind = AMQP_FIELD_KIND_UTF8;
    properties[1].value.value.bytes = amqp_cstring_bytes(name);
    amqp_table_t table = {2, properties};
    return amqp_login_with_properties(connection, vhost, 0, 131072, heartbeat_s, &table,
                                      AMQP_SASL_METHOD_PLAIN, user, password);
}

/* The method numbers are cast macros, which Swift does not import. */
static inline amqp_method_number_t polyclinic_amqp_ack(void) { return AMQP_BASIC_ACK_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_nack(void) { return AMQP_BASIC_NACK_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_return(void) { return AMQP_BASIC_RETURN_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_deliver(void) { return AMQP_BASIC_DELIVER_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_get_ok(void) { return AMQP_BASIC_GET_OK_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_cancel(void) { return AMQP_BASIC_CANCEL_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_blocked(void) { return AMQP_CONNECTION_BLOCKED_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_unblocked(void) { return AMQP_CONNECTION_UNBLOCKED_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_channel_close(void) { return AMQP_CHANNEL_CLOSE_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_connection_close(void) { return AMQP_CONNECTION_CLOSE_METHOD; }
