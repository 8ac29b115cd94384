#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

/* amqp_login is variadic, which Swift cannot call. */
static inline amqp_rpc_reply_t polyclinic_amqp_login(amqp_connection_state_t connection,
                                                     const char *vhost, int heartbeat_s,
                                                     const char *user, const char *password) {
    return amqp_login(connection, vhost, 0, 131072, heartbeat_s, AMQP_SASL_METHOD_PLAIN, user,
                      password);
}

/* The method numbers are cast macros, which Swift does not import. */
static inline amqp_method_number_t polyclinic_amqp_ack(void) { return AMQP_BASIC_ACK_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_nack(void) { return AMQP_BASIC_NACK_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_return(void) { return AMQP_BASIC_RETURN_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_blocked(void) { return AMQP_CONNECTION_BLOCKED_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_unblocked(void) { return AMQP_CONNECTION_UNBLOCKED_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_channel_close(void) { return AMQP_CHANNEL_CLOSE_METHOD; }
static inline amqp_method_number_t polyclinic_amqp_connection_close(void) { return AMQP_CONNECTION_CLOSE_METHOD; }
