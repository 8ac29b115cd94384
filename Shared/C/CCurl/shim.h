#include <curl/curl.h>

/* curl_easy_setopt, curl_multi_setopt and curl_easy_getinfo are variadic, which Swift cannot call. */
static inline CURLcode polyclinic_curl_set_long(CURL *h, CURLoption o, long v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode polyclinic_curl_set_pointer(CURL *h, CURLoption o, void *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode polyclinic_curl_set_string(CURL *h, CURLoption o, const char *v) { return curl_easy_setopt(h, o, v); }
typedef size_t (*polyclinic_curl_write)(char *, size_t, size_t, void *);
static inline CURLcode polyclinic_curl_set_write(CURL *h, CURLoption o, polyclinic_curl_write f) { return curl_easy_setopt(h, o, f); }
static inline CURLcode polyclinic_curl_get_long(CURL *h, CURLINFO i, long *v) { return curl_easy_getinfo(h, i, v); }
static inline CURLcode polyclinic_curl_get_pointer(CURL *h, CURLINFO i, void **v) { return curl_easy_getinfo(h, i, v); }
typedef int (*polyclinic_curl_socket)(CURL *, curl_socket_t, int, void *, void *);
typedef int (*polyclinic_curl_timer)(CURLM *, long, void *);
static inline CURLMcode polyclinic_curl_multi_socket(CURLM *m, polyclinic_curl_socket f, void *data) {
    curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, f);
    return curl_multi_setopt(m, CURLMOPT_SOCKETDATA, data);
}
static inline CURLMcode polyclinic_curl_multi_timer(CURLM *m, polyclinic_curl_timer f, void *data) {
    curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, f);
    return curl_multi_setopt(m, CURLMOPT_TIMERDATA, data);
}
static inline CURLMcode polyclinic_curl_multi_long(CURLM *m, CURLMoption o, long v) { return curl_multi_setopt(m, o, v); }
