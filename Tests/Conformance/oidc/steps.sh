# Steps of Tests/Conformance/run: OpenID Connect by clients that others wrote.
authlib() { packages authlib && "$home/authlib/bin/python" $here/oidc/authlib_flow.py; }
apache() {
    program apache2 apache2 && program chromium chromium || return 1
    part libapache2-mod-auth-openidc /usr/lib/apache2/modules/mod_auth_openidc.so || return 1
    packages apache && "$home/apache/bin/python" $here/oidc/apache.py --shots "$home/shots"
}
tokens() { packages tokens && "$home/tokens/bin/python" $here/oidc/tokens.py; }
